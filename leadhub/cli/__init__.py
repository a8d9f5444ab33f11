"""The `leadhub` command. Each subcommand is imported only when it is called, so that a worker carries no console."""

from __future__ import annotations

import importlib

import click

#: Name → (module, attribute, the line in `leadhub --help`).
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("leadhub.cli.roles", "up", "Run everything on this machine, in the foreground."),
    "web": ("leadhub.cli.roles", "web", "Run the web server: entrances, API, console."),
    "worker": ("leadhub.cli.roles", "worker", "Run the Celery worker that turns events into leads."),
    "beat": ("leadhub.cli.roles", "beat", "Run the schedule: sweeps and canaries."),
    "mail": ("leadhub.cli.roles", "mail", "Run the reader of the mailboxes."),
    "migrate": ("leadhub.cli.state", "migrate", "Bring the database to this version's schema."),
    "backup": ("leadhub.cli.backup", "backup", "Save the whole hub into a directory."),
    "restore": ("leadhub.cli.backup", "restore", "Bring back what was saved; erased persons stay erased."),
    "config": ("leadhub.cli.state", "config", "Show the effective settings, secrets masked."),
    "doctor": ("leadhub.cli.state", "doctor", "Check database, broker, mailboxes, clock and disk."),
    "health": ("leadhub.cli.state", "health", "Show whether the hub is healthy; exit 1 if it is not."),
    "ledger": ("leadhub.cli.state", "ledger", "Show what became of everything; exit 1 if it does not balance."),
    "source": ("leadhub.cli.sources", "source", "Entrances: add, list, test, pause, resume, rotate."),
    "mapping": ("leadhub.cli.mappings", "mapping", "How a form is read: show, try, publish, rollback, history."),
    "numbering": ("leadhub.cli.numbering", "numbering", "Ranges of the Russian numbering plan: import, status, look-up."),
    "owner": ("leadhub.cli.people", "owner", "Those who work leads: add, list, absent, retire."),
    "calendar": ("leadhub.cli.calendars", "calendar", "When is worked: add, list, change, days, year."),
    "deadline": ("leadhub.cli.deadlines", "deadline", "How soon inquiries are to be answered: add, list, change, report."),
    "routing": ("leadhub.cli.routing", "routing", "Rules by which leads are given: show, save, simulate, activate."),
    "contact": ("leadhub.cli.contacts", "contact", "Persons: erase, export."),
    "erase": ("leadhub.cli.contacts", "erase", "Empty events of nobody that name a number or an address."),
    "user": ("leadhub.cli.users", "user", "Those who sign in: add, list, role, disable, password, sign-out."),
    "token": ("leadhub.cli.tokens", "token", "Keys of the API: create, list, revoke."),
    "demo": ("leadhub.cli.demo", "demo", "Play a day of traffic through the running hub."),
    "bench": ("leadhub.cli.bench", "bench", "Measure, the baselines in the same run (in a checkout)."),
    "events": ("leadhub.cli.events", "events", "What arrived: list, show, replay."),
    "quarantine": ("leadhub.cli.quarantine", "quarantine", "What was set aside as spam: list, release, confirm."),
    "audit": ("leadhub.cli.audit", "audit", "Who did or looked at what: list, verify."),
    "alerts": ("leadhub.cli.quarantine", "alerts", "What somebody should look at about a source; resolve it."),
}


class LazyGroup(click.Group):
    """A group whose commands are looked up in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table alone: help should not import the house."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leadhub")
def main() -> None:
    """Forms, calls and mail become leads with owners, and nothing is lost.

    Settings come from LEADHUB_… variables and leadhub.toml in LEADHUB_HOME. Exit status: 0 done, 1 failed, 2 wrong usage.
    """
