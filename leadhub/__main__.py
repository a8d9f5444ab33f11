"""`python -m leadhub` is the `leadhub` command."""

from leadhub.cli import main

main()
