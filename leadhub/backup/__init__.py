"""Saving a whole hub into a directory and bringing it back: database, files, key, and the erasures made since."""
