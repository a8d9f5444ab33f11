"""Tools for whoever writes a connector: a new folder, samples, the catalogue."""
