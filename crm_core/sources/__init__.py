"""Sources and the journal's table."""
