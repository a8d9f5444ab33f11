"""`python -m leadhub.docs` writes docs/settings.md, cli.md, heuristics.md, event-states.md and the table of drop-in.md out of the code.
With `--check` it only compares.

The connectors' page is added by its own room (`connectors.kit`); nothing here is written by hand twice.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from connectors.kit.tools import dropins, heuristics
from ingest.journal import states as event_states
from leadhub.cli import COMMANDS, main
from leadhub.settings import SETTINGS

DOCS = Path(__file__).parents[1] / "docs"
BODIES = DOCS.parent / "tests" / "unit" / "connectors" / "heuristics"
_MADE = "<!-- Made by `python -m leadhub.docs`; change the code, not this page. -->\n"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        _MADE,
        "Each is a variable of the environment, or a key of `leadhub.toml` in the home (lower case, without the prefix:",
        "`port = 8080`). The environment wins. An unknown name or an impossible value stops the start, with words.",
        "`leadhub config` shows the effective values with secrets masked.",
        "",
        "| variable | in leadhub.toml | default | what it is |",
        "|---|---|---|---|",
    ]
    for setting in SETTINGS:
        key = f"`{setting.field}`" if setting.in_file else "no"
        default = f"`{setting.default}`" if setting.default else "empty"
        about = setting.about + (" Secret: masked wherever it is shown." if setting.secret else "")
        lines.append(f"| `{setting.variable}` | {key} | {default} | {about} |")
    lines += [
        "",
        "For the tests only: `LEADHUB_TEST_BROKER=redis` runs the broker's tests on Debian's `redis-server`.",
    ]
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    lines = [
        "# Command line",
        "",
        _MADE,
        "`leadhub` is `.venv/bin/leadhub` in a checkout. Every command takes `--json`; the exit status is 0 (done), 1",
        "(failed, or what was asked for is not so) or 2 (wrong usage). Errors are one sentence on standard error, with",
        '`--json` `{"error":{"code","message"}}` on standard output.',
        "",
    ]
    context = click.Context(main, info_name="leadhub", **main.context_settings)
    for path, command, owner in commands(context):
        lines += [f"## `{path}`", "", "```", command.get_help(owner).rstrip(), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def event_states_page() -> str:
    states = list(event_states.STATES)
    lines = [
        "# States of an event",
        "",
        _MADE,
        "An event is a row of the journal, `inbound_event`. Accepting it inserts the row as `waiting`; from then on it is written by the",
        "transitions below and by nothing else (`ingest.journal.states` declares them, `ingest.journal.transitions` does them). In a state",
        "that a transition does not name, it changes nothing. A test tries each of them from every state on a real PostgreSQL.",
        "",
        "| state | what it says |",
        "|---|---|",
        *(f"| `{name}` | {said} |" for name, said in event_states.STATES.items()),
        "",
        f"A `done` event has exactly one outcome: {', '.join(f'`{name}`' for name in event_states.OUTCOMES)}.",
        "",
        "## What leads where",
        "",
        "A row is what happens, a column the state in which it happens, a cell the state after it; `–` changes nothing.",
        "",
        f"| | {' | '.join(f'`{state}`' for state in states)} |",
        f"|---|{'---|' * len(states)}",
    ]
    for one in event_states.TRANSITIONS:
        cells = [_after(one, state) for state in states]
        lines.append(f"| [{one.name}](#{one.name}) | {' | '.join(cells)} |")
    lines += ["", "## Each of them", ""]
    for one in event_states.TRANSITIONS:
        lines += [f"### {one.name}", "", f"{one.what} By: {one.who}." + (f" Only if {one.only}." if one.only else ""), ""]
        if one.fenced:
            lines += ["Only the worker whose token the event carries can; one whose lease ran out changes nothing.", ""]
        lines += ["| column | becomes |", "|---|---|", *(f"| `{column}` | {words} |" for column, words in one.told()), ""]
    return "\n".join(lines).rstrip() + "\n"


def _after(transition: event_states.Transition, state: str) -> str:
    if state not in transition.origins:
        return "–"
    if transition.restores:
        return "as it was before"
    return f"`{transition.target}`" if transition.target and transition.target != state else "stays"


def commands(context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command that does something: (its full name, the command, its context)."""
    for name in COMMANDS:
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(name)
        yield from _below(f"leadhub {name}", command, _context(command, name, context))


def _below(path: str, command: click.Command, own: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """The command itself, or those of a group, however deep."""
    if not isinstance(command, click.Group):
        yield path, command, own
        return
    for inner in command.list_commands(own):
        child = command.commands[inner]
        yield from _below(f"{path} {inner}", child, _context(child, inner, own))


def pages() -> dict[str, str]:
    return {"settings.md": settings_page(), "cli.md": cli_page(), "heuristics.md": heuristics.page(BODIES),
            "event-states.md": event_states_page(), "drop-in.md": dropins.page()}  # fmt: skip


def _context(command: click.Command, name: str, parent: click.Context) -> click.Context:
    # A fixed width: the page must not depend on somebody's terminal.
    return click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)


def run(arguments: list[str]) -> int:
    stale = [name for name, text in pages().items() if _read(name) != text]
    if "--check" in arguments:
        for name in stale:
            click.echo(f"docs/{name} is not what the code says: run `make docs`.", err=True)
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(pages()[name], encoding="utf-8")
        click.echo(f"docs/{name} written.")
    return 0


def _read(name: str) -> str:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
