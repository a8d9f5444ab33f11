"""What providers only announce: the hub gets it itself."""
