"""Erasing a person wherever the hub keeps something of them."""
