"""Messages about a lead to a colleague, which wait until they are read."""
