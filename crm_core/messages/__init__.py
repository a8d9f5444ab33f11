"""Mails and their threads."""
