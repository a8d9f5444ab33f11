"""A source's own mapping: versions, preview, fields that nobody mapped."""
