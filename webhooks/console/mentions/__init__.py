"""Pages about messages to colleagues."""
