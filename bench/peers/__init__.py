"""Programs of other houses that do the same work, installed for the measurement and measured in the same run."""
