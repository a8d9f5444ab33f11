"""What a provider's bytes meant, one folder a provider. Pure: no database, no network, no framework."""
