"""What an employee is told: a new lead, a deadline, a message. On the console at once, by mail soon."""
