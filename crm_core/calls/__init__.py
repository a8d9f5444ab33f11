"""Telephone calls and the call-backs that follow from them."""
