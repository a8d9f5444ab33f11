"""`leadhub demo`: a day of traffic through the real entrances of the running hub."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from leadhub.cli.answers import answers, fail, hub, table, tell

_WIDTH = 30


@click.command()
@answers
def demo(as_json: bool) -> None:
    """Play 200 forms, a day of calls and 30 mails through the running hub, and end with the ledger.

    Needs Dovecot (Debian package dovecot-imapd) for its throw-away mailbox.
    """
    from leadhub.demo.dovecot import DovecotMissing
    from leadhub.demo.play import play
    from webhooks.api.ledger import LedgerRow
    from webhooks.api.shape import plain_json

    def progress(what: str, done: int, whole: int) -> None:
        if as_json or not sys.stderr.isatty() and done < whole:
            return
        bar = "#" * (_WIDTH * done // whole)
        click.echo(f"\r  {what:6} [{bar:{_WIDTH}}] {done}/{whole}", err=True, nl=done >= whole)

    with hub() as (config, engine):
        try:
            rows, played = play(config, engine, progress)
        except DovecotMissing as error:
            fail("dovecot_missing", str(error), as_json=as_json)
            return
    shown: list[dict[str, Any]] = [plain_json(LedgerRow, row) for row in rows]
    columns = {name: name.replace("_", " ").upper() for name in (shown[0] if shown else {})}
    said = [table(shown, columns, "Nothing was played."), "", *(one.words for one in played)]
    said += ["The ledger is today's: a demo that was played earlier today is in it too."]
    tell({"items": shown, "played": [asdict(one) for one in played]}, as_json=as_json, words="\n".join(said))
    if not all(row.balanced for row in rows):
        sys.exit(1)
