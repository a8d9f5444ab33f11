"""Mailboxes: one folder per way of getting at them."""
