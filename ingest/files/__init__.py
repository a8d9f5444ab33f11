"""Contents of files, by their hash."""
