"""Sources: adding, changing, finding them by their token, and how each does."""
