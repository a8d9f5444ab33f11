"""The page of what one was told."""
