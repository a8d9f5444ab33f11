"""Real PostgreSQL and real Valkey out of wheels, under LEADHUB_HOME. Nothing here knows what the hub stores in them."""
