"""Pages about leads."""
