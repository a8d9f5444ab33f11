"""`leadhub demo` and `leadhub bench`: seeing it work, and how fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from leadhub.cli.answers import answers, fail, hub, table, tell

_BAR_CELLS = 30


@click.command()
@answers
def demo(as_json: bool) -> None:
    """Play a day of traffic through the real entrances of a running hub: forms, calls, a mailbox. Ends with the ledger."""
    from ingest.ledger import PARTS
    from leadhub.demo.play import play

    with hub() as (config, engine):
        rows = play(config, engine, _silent if as_json else _bar)
    columns = {"source": "SOURCE", "received": "RECEIVED"}
    columns |= {part: part.upper().replace("_", " ") for part in PARTS if any(row[part] for row in rows)}
    balanced = all(row["balanced"] for row in rows)
    columns["balanced"] = "BALANCED"
    words = f"{table(rows, columns, 'Nothing arrived.')}\n\nLook at it: {config.base_url}/console/"
    tell({"items": rows, "balanced": balanced}, as_json=as_json, words=words)
    sys.exit(0 if balanced else 1)


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


def _bar(what: str, done: int, of: int) -> None:
    """One line that fills up; on no terminal, one line when it is full."""
    if sys.stderr.isatty():
        cells = _BAR_CELLS * done // max(of, 1)
        click.echo(f"\r  {what:<10} [{'#' * cells}{'.' * (_BAR_CELLS - cells)}] {done}/{of}", nl=done >= of, err=True)
    elif done >= of:
        click.echo(f"  {what}: {done}", err=True)


def _silent(_what: str, _done: int, _of: int) -> None:
    """With JSON, nothing else is said."""
