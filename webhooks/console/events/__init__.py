"""Pages about the journal's events."""
