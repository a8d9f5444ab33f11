"""What somebody should look at about a source: raised where it is noticed, closed by itself or by a person."""
