"""Contacts that may be, or were taken for, one person."""
