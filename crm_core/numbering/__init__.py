"""From which region a Russian number is: the ranges of the public numbering plan, as somebody imported them. No data comes with the hub."""
