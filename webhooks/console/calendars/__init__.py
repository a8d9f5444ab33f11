"""Working calendars and their special days."""
