"""`leadhub demo`: plays a day of traffic through the real entrances of a running hub and ends with the ledger."""
