"""Any form into one inquiry: fields, their roles, people, attribution, consents, files."""
