"""Contacts: persons known by their identifiers, merged and told apart."""
