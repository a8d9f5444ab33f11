"""Settings given on a command line, and secrets that should not stand there: other users and the shell's history see it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from crm_core.base.errors import Invalid

_LONGEST_SECRET = 64 * 1024  # bytes; a key in PEM has 4 kB


def read_settings(pairs: Iterable[str], secret: frozenset[str], *, quiet: bool) -> dict[str, str]:
    """`KEY=VALUE` each. Of a setting that is secret, `-` is the next line of standard input and `@file` what stands there.

    Says on standard error, unless `quiet`, that a secret was given in the open. Invalid.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise Invalid("pair_invalid", "--set takes KEY=VALUE, such as folder=INBOX.", fields=["set"])
        if name in secret and value == "-":
            given[name] = _from_input(name)
        elif name in secret and value.startswith("@"):
            given[name] = _from_file(name, Path(value[1:]))
        else:
            given[name] = value
            if name in secret and value and not quiet:
                click.echo(
                    f"{name} stands on the command line, where others on this machine and the shell's history see it."
                    f" Next time: --set {name}=- (standard input) or --set {name}=@file.", err=True,
                )  # fmt: skip
    return given


def _from_input(name: str) -> str:
    """A line; typed without being shown if somebody sits there."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    return _some(name, sys.stdin.readline(_LONGEST_SECRET).rstrip("\r\n"), "standard input")


def _from_file(name: str, path: Path) -> str:
    """All of it, without the line's end behind it."""
    try:
        with path.expanduser().open("rb") as file:
            raw = file.read(_LONGEST_SECRET + 1)
        if len(raw) > _LONGEST_SECRET:
            raise Invalid("secret_unreadable", f"{name}: {path} has more than {_LONGEST_SECRET} bytes.", fields=[name])
        return _some(name, raw.decode("utf-8").rstrip("\r\n"), str(path))
    except OSError as error:
        raise Invalid("secret_unreadable", f"{name}: {path} cannot be read: {error.strerror}.", fields=[name]) from None
    except UnicodeDecodeError:
        raise Invalid("secret_unreadable", f"{name}: {path} is not text in UTF-8.", fields=[name]) from None


def _some(name: str, value: str, where: str) -> str:
    if not value:
        raise Invalid("secret_empty", f"{name}: there is nothing in {where}.", fields=[name])
    return value
