"""Websites, form builders and advertising networks: whatever posts an inquiry."""
