"""The history of a contact as pages show it."""
