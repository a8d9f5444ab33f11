"""The page behind the search box."""
