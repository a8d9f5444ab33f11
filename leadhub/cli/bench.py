"""`leadhub bench`: how fast it is, beside its baselines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from leadhub.cli.answers import answers, fail


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@answers
def bench(arguments: tuple[str, ...], as_json: bool) -> None:
    """Measure this version beside its baselines (in a checkout only); takes what `python -m bench --help` lists."""
    checkout = Path(__file__).parents[2]
    if not (checkout / "bench" / "__main__.py").exists():
        fail("no_checkout", "The benchmark comes with the source: clone the repository.", as_json=as_json)
    extra = ["--json", "/dev/stdout"] if as_json else []
    sys.exit(subprocess.run([sys.executable, "-m", "bench", *arguments, *extra], cwd=checkout, check=False).returncode)
