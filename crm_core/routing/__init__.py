"""Who owns a new lead, and why."""
