"""Telephone exchanges: whatever posts what happened to a call."""
