"""Signs of life and counts that operations watch."""
