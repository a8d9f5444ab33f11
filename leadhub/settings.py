"""Environment and `leadhub.toml` in LEADHUB_HOME, read once, checked, turned into a `HubConfig`.

The environment wins over the file. An unknown name or an impossible value stops the start, with words.
"""

from __future__ import annotations

import difflib
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured
from leadhub import private_file, running

PREFIX = "LEADHUB_"
_NOT_OURS = "LEADHUB_TEST_"  # switches of the test suite travel through the same environment
FILE_NAME = "leadhub.toml"
MIN_SECRET_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Setting:
    """One name of the environment. `parse` raises ValueError with a sentence that completes "LEADHUB_X …"."""

    field: str  # of HubConfig; upper-cased behind the prefix it is the variable, as it stands the key in the file
    parse: Callable[[str], Any]
    default: str
    about: str
    secret: bool = False
    in_file: bool = True

    @property
    def variable(self) -> str:
        return PREFIX + self.field.upper()


@dataclass(frozen=True, slots=True)
class Settings:
    """Parsed values by field, and where each came from: environment, leadhub.toml, or default."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]

    @property
    def home(self) -> Path:
        home: Path = self.values["home"]
        return home

    @property
    def embedded_database(self) -> bool:
        return not self.values["database_url"]

    @property
    def embedded_broker(self) -> bool:
        return not self.values["broker_url"]


def read(environment: Mapping[str, str], directory: Path) -> Settings:
    """Misconfigured with every fault at once. `directory` is where a relative LEADHUB_HOME counts from."""
    home = _home(environment, directory)
    from_file = _file(home / FILE_NAME)
    known = {setting.variable: setting for setting in SETTINGS}
    faults = [
        _unknown(name, known, "in the environment")
        for name in sorted(environment)
        if name.startswith(PREFIX) and not name.startswith(_NOT_OURS) and name not in known
    ]
    keys = {setting.field: setting for setting in SETTINGS if setting.in_file}
    faults += [_unknown(name, keys, f"in {home / FILE_NAME}") for name in sorted(from_file) if name not in keys]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        text, origin = setting.default, "default"
        if setting.in_file and setting.field in from_file:
            text, origin = _scalar(from_file[setting.field]), FILE_NAME
        if environment.get(setting.variable, "").strip():
            text, origin = environment[setting.variable].strip(), "environment"
        try:
            values[setting.field] = home if setting.field == "home" else setting.parse(text)
        except ValueError as error:
            said = "…" if setting.secret else repr(text)
            faults.append(f"{setting.variable} ({origin}) is {said}, but {error}.")
        origins[setting.field] = origin
    if faults:
        raise Misconfigured("settings_invalid", "\n".join(faults), faults=faults)
    return Settings(values, origins)


def hub_config(settings: Settings, *, prepared: bool = True) -> HubConfig:
    """The value that every room gets. What is embedded comes from the hub that runs on this home.

    Waits until a hub that is just starting has its schema, unless `prepared` is False. Misconfigured when a server is
    embedded and no hub runs; makes the secret key on first use.
    """
    hub = running.read_prepared(settings.home) if prepared else running.read(settings.home)
    if hub is None and (settings.embedded_database or settings.embedded_broker):
        raise Misconfigured(
            "not_running",
            f"No hub is running on {settings.home}, and its database is embedded in it. Start it with "
            "`leadhub up`, or name a server in LEADHUB_DATABASE_URL and LEADHUB_BROKER_URL.",
        )
    changes: dict[str, Any] = {}
    if hub is not None:
        changes = {"port": hub.port}
        if settings.embedded_database:
            changes["database_url"] = hub.database_url
        if settings.embedded_broker:
            changes["broker_url"] = hub.broker_url
    return build(settings, **changes)


def build(settings: Settings, **changes: Any) -> HubConfig:
    """A HubConfig of the settings with `changes` on top."""
    values = {**settings.values, **changes}
    values["secret_key"] = values["secret_key"] or secret_key(settings.home)
    return HubConfig(**values)


def secret_key(home: Path) -> str:
    """The key of this home, made on first use, readable by its owner only. Losing it loses the sealed secrets."""
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    key = private_file.make_once(path, secrets.token_urlsafe(48)).strip()
    if len(key) < MIN_SECRET_CHARACTERS:
        raise Misconfigured(
            "secret_key_broken",
            f"{path} is empty or cut off. Put the one of your backup there: what it sealed opens with no other. Delete the "
            "file only if this hub never had a key.",
            path=str(path),
        )
    return key


def effective(settings: Settings) -> list[dict[str, str]]:
    """Rows of `leadhub config`: name, value with secrets masked, origin."""
    rows = []
    for setting in SETTINGS:
        held = settings.values[setting.field]
        value = ", ".join(held) if isinstance(held, tuple) else str(held)
        origin = settings.origins[setting.field]
        if not value and setting.field in ("database_url", "broker_url"):
            value = "(embedded)"
        elif not value and setting.field == "secret_key":
            value = f"(in {settings.home / 'secret_key'})"
        elif setting.secret:
            value = "********" if setting.field == "secret_key" else masked(value)
        rows.append({"name": setting.variable, "value": value, "origin": origin})
    return rows


def masked(url: str) -> str:
    """The URL with its password starred, also one that stands in the query."""
    starred = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:********@", url)
    return re.sub(r"(?i)([?&]password=)[^&]*", r"\1********", starred)


def default_home() -> Path:
    """`var` of the checkout that this code runs from, else of the current directory."""
    checkout = Path(__file__).parents[1]
    return (checkout if (checkout / "pyproject.toml").exists() else Path.cwd()) / "var"


def _home(environment: Mapping[str, str], directory: Path) -> Path:
    given = environment.get("LEADHUB_HOME", "").strip()
    return (directory / Path(given).expanduser()).resolve() if given else default_home()


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured("settings_unreadable", f"{path} cannot be read: {error}.", path=str(path)) from error


def _scalar(value: Any) -> str:
    """What stood in the file, as it would stand in the environment; tables and lists fail in `parse`."""
    return value if isinstance(value, str) else repr(value)


def _unknown(name: str, known: Mapping[str, Setting], where: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} {where} is no setting of Leadhub{f', did you mean {near[0]}?' if near else '.'}"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"it is a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not low <= float(text) <= high:
            raise ValueError(f"it is a number of seconds from {low:g} to {high:g}")
        return float(text)

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and (urlsplit(text).scheme not in schemes or "://" not in text):
            raise ValueError(f"it begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return parse


def _database_url(text: str) -> str:
    url = _url("postgresql", "postgres", "postgresql+psycopg")(text)
    return re.sub(r"^postgres(ql\+psycopg)?://", "postgresql://", url)


def _broker_url(text: str) -> str:
    if text and not re.match(r"[a-z0-9+]+://", text):
        raise ValueError("it is a URL such as redis://host:6379/0 (or rediss, sentinel, amqp)")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", text):
        raise ValueError("it is an address to listen on, such as 127.0.0.1 or 0.0.0.0")
    return text


def _outbound_allow(text: str) -> tuple[str, ...]:
    entries = tuple(entry.strip() for entry in text.split(",") if entry.strip())
    if entries:
        from ingest.http_client.addresses import allowed_of

        try:
            allowed_of(entries)
        except ValueError as error:
            raise ValueError(f"it is a list of addresses, networks and host names, and {error}") from error
    return entries


def _secret(text: str) -> str:
    if text and len(text) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"it has at least {MIN_SECRET_CHARACTERS} characters")
    return text


def _region(text: str) -> str:
    if text != "RU":
        from phonenumbers import SUPPORTED_REGIONS  # costs 0.1 s, so only when somebody changed it

        if text not in SUPPORTED_REGIONS:
            raise ValueError("it is a country of ISO 3166 in two capital letters, such as RU or DE")
    return text


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError) as error:
        near = difflib.get_close_matches(text, available_timezones(), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"it is a time zone of IANA, such as Europe/Moscow{hint}") from error
    return text


def _locale(text: str) -> str:
    if text not in ("ru", "en"):
        raise ValueError("it is ru or en")
    return text


#: Every setting, in the order of the documentation (docs/settings.md is made from this).
SETTINGS: tuple[Setting, ...] = (
    Setting("home", Path, "./var", "Everything the hub keeps on disk: database, logs, keys.", in_file=False),
    Setting("host", _host, "127.0.0.1", "The address that the web server listens on."),
    Setting("port", _whole(1, 65535), "8080", "Its port. If it is taken, `leadhub up` takes a free one and says so."),
    Setting("public_url", _url("http", "https"), "", "What the outside world calls this hub, used in every address "
            "that is handed out, such as https://leads.example.com. Empty: http://host:port."),
    Setting("database_url", _database_url, "", "A PostgreSQL 18 of your own, postgresql://user:password@host/name. "
            "Empty: the embedded one.", secret=True),
    Setting("broker_url", _broker_url, "", "A Redis or Valkey of your own, redis://:password@host:6379/0. Empty: the "
            "embedded one.", secret=True),
    Setting("secret_key", _secret, "", "Signs sessions and encrypts the secrets of sources. Empty: made once and kept "
            "in the home. Back it up: sealed secrets are lost without it.", secret=True),
    Setting("region", _region, "RU", "Country of phone numbers that are written without one."),
    Setting("timezone", _timezone, "Europe/Moscow", "Whose midnight ends a day in the ledger."),
    Setting("locale", _locale, "en", "Language of the console, ru or en; each user can choose their own."),
    Setting("trusted_proxies", _whole(0, 16), "0", "How many proxies stand in front and may say who the client is "
            "(X-Forwarded-For)."),
    Setting("workers", _whole(1, 64), "2", "Processes of the web server, and as many of the worker."),
    Setting("outbound_allow", _outbound_allow, "", "Hosts and networks of your own that the hub may connect to when a "
            "form, a provider or a user names them (mail servers, files, APIs), such as 10.0.5.0/24, files.example.org. Hosts "
            "may be asked on any port. Empty: only the public internet, over HTTP on ports 80 and 443."),
    Setting("disk_floor_mb", _whole(0, 1_000_000), "200", "Megabytes that stay free on the disk of the home: below, entrances "
            "say 503, mailboxes are not read and files not fetched, so that PostgreSQL need not stop; below half of it nothing "
            "is worked on. It goes on by itself. 0: no floor, for instance where the database is on another machine."),
    Setting("lost_days", _whole(0, 3650), "90", "Days in which an inquiry after a lost lead is linked to that lead and goes "
            "to its owner; later it counts as a new occasion. A source may set its own."),
    Setting("reopen_days", _whole(0, 3650), "0", "Days in which an inquiry after a lost lead opens that lead again instead of "
            "making a new one. 0: never. A source may set its own."),
    Setting("asleep_days", _whole(1, 3650), "30", "Days without a touch after which an open lead counts as reactivated by "
            "the next one. A source may set its own."),
    Setting("together_minutes", _whole(0, 1440), "15", "Minutes in which a call, a form and a mail of one person are one lead "
            "although only one of them names a product line. A source may set its own."),
    Setting("reissued_days", _whole(30, 3650), "365", "Days of silence after which a number or an address that comes with "
            "another name counts as given to somebody else. A source may set its own."),
    Setting("smtp_url", _url("smtp", "smtp+starttls", "smtps"), "", "Mail server through which employees are told of new leads: "
            "smtp+starttls://user:password@mail.example.org:587, smtps://… or smtp://… Empty: nobody is told by mail.", secret=True),
    Setting("mail_from", str, "", "Sender of those mails. Empty: leadhub@ the hub's host."),
    Setting("backfill_minutes", _whole(1, 1440), "15", "How often a provider that only announces leads (Meta, LinkedIn) is "
            "asked for those that its notices may have missed."),
    Setting("lease_seconds", _seconds(5, 3600), "30", "After how long an event of a worker that died is taken up "
            "again."),
)  # fmt: skip
