"""One dated history of a contact over all channels."""
