"""The page of deadlines: how soon inquiries are to be answered, and how soon they were."""
