"""Pages about calls to make."""
