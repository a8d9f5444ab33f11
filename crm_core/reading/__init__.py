"""Read models: rows as the dictionaries that the API answers and the console shows. They change nothing.

Every list is newest first with a keyset cursor, so pages neither repeat nor skip rows when new ones arrive. Every
function takes the principal and shows only what he may see; what he may not see does not exist for him.
"""
