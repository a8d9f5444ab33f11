"""Pages about users, tokens, the audit and one's own account."""
