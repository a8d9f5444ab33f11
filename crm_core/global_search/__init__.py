"""One search over clients, leads and what was said."""
