"""Pages about owners."""
