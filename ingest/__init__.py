"""Turns an arrival into an outcome: accept, claim, process, poll, replay, ledger."""
