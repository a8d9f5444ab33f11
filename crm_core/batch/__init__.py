"""What the subjects' intake shares: the state of a batch in memory, its steps, set-wise writes."""
