"""What a person, a lead and an owner are, and what may happen to them. Imports nothing of the other rooms."""
