"""The front door: command line, settings and the supervisor. Imports every room, is imported by none."""
