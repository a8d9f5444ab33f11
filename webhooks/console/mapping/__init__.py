"""Pages about how a form is read."""
