"""Signs of life and figures for whoever operates the hub."""
