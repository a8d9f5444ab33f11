"""What waits, what stands still, who is alive, what somebody should look at."""
