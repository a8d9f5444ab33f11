"""The one HTTP client for addresses that others name, behind a guard for our own network."""
