"""One command of the domain at every door that offers it: the same request on equal states must have the same effect, or be refused
with the same code, whoever carries it in.

A subject's rows stand in a file `rows_<subject>.py` beside this one: a tuple ROWS of `Row`. To add a command, add its row.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg
import servers
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Connection, Engine, text
from werkzeug.test import Client, TestResponse

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError
from leadhub.cli import main
from leadhub.embedded import postgres
from webhooks.console.shell import form_tokens
from webhooks.console.shell import session as sessions
from webhooks.engines import close_engines

Inputs = Mapping[str, Any]
State = Mapping[str, set[str]]  # rows as text, by table
#: Roles as `api_world` names its tokens: "manager" is Anna's, "other_manager" Boris's, "stray_manager" nobody's.
ROLES = {"admin": "admin", "head": "head", "ops": "ops", "readonly": "readonly",
         "manager": "manager", "other_manager": "manager", "stray_manager": "manager"}  # fmt: skip
DOORS = ("domain", "api", "console", "cli")
#: What a request of the wrong shape is called by the door that reads it.
_SHAPE = frozenset({"invalid_body", "filter", "usage"})
#: Who is signed in, and when they were seen: the doors' own, no effect of a command.
_NOT_OF_THE_DOMAIN = frozenset({"alembic_version", "user_session", "sign_in_link", "sign_in_bucket"})
_VOLATILE: Mapping[str, frozenset[str]] = {
    "api_token": frozenset({"last_used_at", "prefix"}),
    "app_user": frozenset({"signed_in_at", "password_hash"}),
    "source_token": frozenset({"token"}),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::?\d\d)?|Z)")
_SECRET = re.compile(r"\\\\x[0-9a-f]{32,}")
_ERASURE = re.compile(r'(?<="erasure": ")[0-9a-f]{32}(?=")')  # an id by chance


@dataclass(frozen=True)
class Hub:
    """A state of its own, and all doors to it."""

    config: HubConfig
    engine: Engine
    app: Flask
    ids: Mapping[str, str]
    tokens: Mapping[str, str]
    principals: Mapping[tuple[str, str], Principal]  # (door, role)
    browsers: Mapping[str, Client]  # role → signed-in browser
    environment: Mapping[str, str]  # of the command line

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []


@dataclass(frozen=True)
class Case:
    """One request. `refused` "" means that it is done, and then it must do something unless `idle`."""

    name: str
    inputs: Inputs = field(default_factory=dict)  # beside the ids of the world ({"lead": "17", …}); "@boris" is one of those
    refused: str = ""
    role: str = "admin"
    before: Sequence[str] = ()  # statements on the fresh state; the ids of the world are their parameters
    doors: frozenset[str] = frozenset(DOORS)  # where a door cannot even ask this
    idle: bool = False


@dataclass(frozen=True)
class Row:
    """A command and how each door asks for it. None: this door does not offer it.

    The first case is the plain one: it is done. It is also asked twice, twice at once, and by every role that may not.
    """

    command: Callable[..., Any]
    permission: str
    domain: Callable[[Hub, Principal, Inputs], Any]
    cases: Sequence[Case]
    api: Callable[[Inputs], tuple[str, str, Any]] | None = None  # method, path below /api/v1, body
    console: Callable[[Inputs], tuple[str, Mapping[str, Any]]] | None = None  # path below /console, fields
    cli: Callable[[Inputs], Sequence[str]] | None = None  # arguments, without --json
    stdin: str = ""  # of the command line
    sequel: frozenset[str] = frozenset()  # tables in which a door goes on when the command is done, as with what it knocks by
    again: str = ""  # what the same request gets the second time: a code, "idle" or "more"

    @property
    def name(self) -> str:
        return f"{self.command.__module__}.{self.command.__name__}"

    @property
    def doors(self) -> tuple[str, ...]:
        return tuple(door for door in DOORS if getattr(self, door) is not None)


@dataclass
class Firm:
    """A prototype that is never touched, and one living copy of it at a time under one address."""

    server: servers.RunPostgres
    prototype: str
    config: HubConfig  # names the copy
    app: Flask
    hub: Hub
    state: State  # of the prototype
    cookies: Mapping[str, str]  # role → session in the prototype

    def fresh(self, *statements: str) -> tuple[Hub, State]:
        """A new copy after the statements, and its rows."""
        close_engines()
        self.hub.engine.dispose()
        for role, cookie in self.cookies.items():  # a command may have ended or renewed the session
            self.hub.browsers[role].set_cookie(sessions.cookie_name(self.config), cookie)
        copy = self.config.database_url.rpartition("/")[2]
        with psycopg.connect(self.server.url("postgres", postgres.ADMIN), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {copy} TEMPLATE {self.prototype} STRATEGY FILE_COPY OWNER {postgres.ROLE}")
        if not statements:
            return self.hub, self.state
        with self.hub.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), {name: _number(value) for name, value in self.hub.ids.items()})
        return self.hub, tables(self.hub.engine)


def _number(value: str) -> int | str:
    return int(value) if value.isdecimal() else value


def in_transaction(function: Callable[[Connection, Hub, Principal, Inputs], Any]) -> Callable[[Hub, Principal, Inputs], Any]:
    """For a command that works in its caller's transaction."""

    def call(hub: Hub, principal: Principal, inputs: Inputs) -> Any:
        with hub.engine.begin() as connection:
            return function(connection, hub, principal, inputs)

    return call


def ask(row: Row, door: str, hub: Hub, inputs: Inputs, role: str) -> str:
    """Carries the request in; the code of the refusal, or ""."""
    named = {
        name: hub.ids[value[1:]] if isinstance(value, str) and value.startswith("@") else value for name, value in inputs.items()
    }
    whole = {**hub.ids, **named}
    code = _AT[door](row, hub, whole, role)
    return "shape" if code in _SHAPE else code


def _at_domain(row: Row, hub: Hub, inputs: Inputs, role: str) -> str:
    try:
        row.domain(hub, hub.principals["domain", role], inputs)
    except HubError as error:
        return error.code
    return ""


def _at_api(row: Row, hub: Hub, inputs: Inputs, role: str) -> str:
    assert row.api is not None
    method, path, body = row.api(inputs)
    headers = {"Authorization": f"Bearer {hub.tokens[role]}"}
    answer = hub.app.test_client().open("/api/v1" + path, method=method, json=body, headers=headers)
    assert answer.status_code != 500, answer.text
    return "" if answer.status_code < 300 else str(answer.json["code"])


def _at_console(row: Row, hub: Hub, inputs: Inputs, role: str) -> str:
    assert row.console is not None
    path, fields = row.console(inputs)
    client = hub.browsers[role]
    cookie = client.get_cookie(sessions.cookie_name(hub.config))
    session = sessions.read(cookie.value, hub.config, datetime.now(UTC)) if cookie else None
    assert session is not None
    token = form_tokens.masked(sessions.form_token(session, hub.config))
    answer = client.post(f"/console{path}", data={"form_token": token, **fields})
    assert answer.status_code != 500, answer.text
    return console_code(answer)


def console_code(answer: TestResponse) -> str:
    """The code of a refusal on a page. A page without one was no refusal."""
    found = re.search(r'data-code="([a-z0-9_]*)"', answer.text)
    if found is None:
        assert answer.status_code < 400, answer.text
        return ""
    return found[1]


def _at_cli(row: Row, hub: Hub, inputs: Inputs, role: str) -> str:
    assert row.cli is not None
    assert role == "admin", "the command line is an administrator's"
    result = CliRunner().invoke(main, [*row.cli(inputs), "--json"], env=dict(hub.environment), input=row.stdin)
    if result.exit_code == 0:
        return ""
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    try:
        told = json.loads(result.stdout)
        return "" if told.get("ok") is False else str(told["error"]["code"])  # what a test found bad is no refusal
    except json.JSONDecodeError:
        assert result.exit_code == 2, result.output
        return "usage"


_AT: Mapping[str, Callable[[Row, Hub, Inputs, str], str]] = {
    "domain": _at_domain, "api": _at_api, "console": _at_console, "cli": _at_cli
}  # fmt: skip


def tables(engine: Engine) -> dict[str, set[str]]:
    """Every row of the domain as text, by table."""
    with engine.begin() as connection:
        names = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).all()
        names = [name for name in names if name not in _NOT_OF_THE_DOMAIN]
        selects = (f"SELECT '{name}' AS name, CAST(to_jsonb(t){_without(name)} AS text) AS row FROM {name} t" for name in names)
        found: dict[str, set[str]] = {name: set() for name in names}
        for name, row in connection.execute(text(" UNION ALL ".join(selects))):
            found[name].add(row)
        return found


def _without(table: str) -> str:
    return "".join(f" - '{column}'" for column in sorted(_VOLATILE.get(table, ())))


def effect(before: State, after: State, actor: str, since: datetime) -> dict[str, list[str]]:
    """Rows that came, went or are others now. Two doors differ in who acts and by when; that is taken out of them."""
    changed = {}
    for name, rows in after.items():
        come = sorted(_plain(row, actor, since) for row in rows - before[name])
        gone = sorted("gone: " + _plain(row, actor, since) for row in before[name] - rows)
        if come or gone:
            changed[name] = [*gone, *come]
    return changed


def _plain(row: str, actor: str, since: datetime) -> str:
    def now(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", found[0]))
        return "<now>" if since <= at <= datetime.now(UTC) else found[0]

    return _ERASURE.sub("<id>", _SECRET.sub("<secret>", _TIME.sub(now, row.replace(f'"{actor}"', '"<actor>"'))))


# What there is: read from the code, so that a new command or a new button without a row is found.


def rows() -> tuple[Row, ...]:
    here = Path(__file__).parent
    return tuple(row for path in sorted(here.glob("rows_*.py")) for row in importlib.import_module(path.stem).ROWS)


def commands() -> Iterator[str]:
    """Functions that change the domain: the public ones that take who acts, of modules that declare actions or
    demand rights."""
    for room in ("crm_core", "ingest"):
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".migrations" in found.name:
                continue
            module = importlib.import_module(found.name)
            source = Path(module.__file__ or "").read_text("utf-8")
            if not re.search(r"^\w+ = history\.Action\(|^    demand\(", source, re.MULTILINE):
                continue
            for name, function in vars(module).items():
                if not name.startswith("_") and inspect.isfunction(function) and function.__module__ == module.__name__:
                    takes = inspect.get_annotations(function).values()
                    if any(word in str(kind) for kind in takes for word in ("Principal", "Actor")):
                        yield f"{found.name}.{name}"


class _AnyId(dict[str, Any]):
    """Ids of a world that is not there: enough to see where a request would go."""

    def __missing__(self, name: str) -> str:
        return "1"


def places_of(row: Row, app: Flask) -> Iterator[str]:
    """Where the row enters: endpoints of API and console, words of the command line."""
    where = app.url_map.bind("localhost")
    for case in row.cases:
        inputs = _AnyId({name: "1" if str(value).startswith("@") else value for name, value in case.inputs.items()})
        if row.api is not None and "api" in case.doors:
            method, path, _ = row.api(inputs)
            yield _endpoint(where, f"/api/v1{path}", method)
        if row.console is not None and "console" in case.doors:
            yield _endpoint(where, f"/console{row.console(inputs)[0]}", "POST")
        if row.cli is not None and "cli" in case.doors:
            yield "cli " + " ".join(_words(list(row.cli(inputs))))


def _endpoint(where: Any, path: str, method: str) -> str:
    return str(where.match(path.partition("?")[0], method=method)[0])


def _words(arguments: list[str]) -> Iterator[str]:
    """The name of a command out of its arguments."""
    at: click.Command | None = main
    for word in arguments:
        if not isinstance(at, click.Group):
            return
        yield word
        at = at.get_command(click.Context(main), word)


def changing_places(app: Flask) -> set[str]:
    """Every place of API and console that may change something, and every command of the command line."""
    found = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("api.", "console.")) and (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    return found | set(_form_fields(main, "cli"))


def _form_fields(command: click.Command, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    for name in command.list_commands(click.Context(command)):
        below = command.get_command(click.Context(command), name)
        if below is not None:
            yield from _form_fields(below, f"{path} {name}")
