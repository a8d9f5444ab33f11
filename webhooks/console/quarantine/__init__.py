"""Pages about what was set aside as spam."""
