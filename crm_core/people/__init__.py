"""Owners with their teams and absences, and the pools that share new leads out among them."""
