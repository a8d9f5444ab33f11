"""Leads: one occasion each to sell something to a contact."""
