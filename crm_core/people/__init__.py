"""Employees who own leads: owners, teams, pools, absences."""
