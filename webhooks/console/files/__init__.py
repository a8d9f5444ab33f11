"""Files of leads, for saving."""
