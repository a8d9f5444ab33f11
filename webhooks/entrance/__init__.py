"""Entrances without a login: posts, the page snippet, challenges, the question of an exchange."""
