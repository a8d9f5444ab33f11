"""Deadlines for the first answer to an inquiry (speed to lead): how soon, who is told, when a lead changes hands, and how it went."""
