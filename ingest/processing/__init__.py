"""One event into one outcome: parse, take in, replay, sweep."""
