"""Pages of the routing rules: their versions, an editor, and what other rules would have made of the last days."""
