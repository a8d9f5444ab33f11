"""What the rooms need to know of the installation, as one value that is passed down.

The front door (`leadhub.settings`) reads environment and `leadhub.toml` and builds it; nothing below reads either.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class HubConfig:
    home: Path
    database_url: str  # libpq URL, postgresql://…
    broker_url: str  # redis://… or any Celery broker URL
    secret_key: str  # at least 32 characters; signs sessions and encrypts secrets at rest
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""  # "" means http://host:port
    region: str = "RU"  # ISO 3166, default of sources that name none
    timezone: str = "Europe/Moscow"  # IANA; defines the day of the ledger
    locale: str = "en"  # ru | en
    trusted_proxies: int = 0  # how many proxies in front may set X-Forwarded-For
    workers: int = 2  # processes each of web and worker
    lease_seconds: float = 30.0  # a claimed event returns to the queue after this, by the database's clock
    batch_size: int = 200  # events one claim takes at most; half of it costs a sixth more an event
    max_body_bytes: int = 32 * 1024 * 1024  # an entrance answers 413 above this; 25 MB of files and their form fit in
    # Addresses, networks and host names of our own network that the hub may ask when a provider or a user names them.
    outbound_allow: tuple[str, ...] = ()
    disk_floor_mb: int = 200  # free space of the home's disk below which nothing new is taken in; 0: no floor
    # How long what is known of somebody counts (`crm_core.batch.windows`); a source may say otherwise for itself.
    lost_days: int = 90
    reopen_days: int = 0
    asleep_days: int = 30
    together_minutes: int = 15
    reissued_days: int = 365
    smtp_url: str = ""  # smtp://, smtp+starttls:// or smtps://user:password@host:port; "": nobody is told by mail
    mail_from: str = ""  # "" means leadhub@ the hub's own host
    backfill_minutes: int = 15  # how often providers are asked for what their notices may have missed

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def disk_floor_bytes(self) -> int:
        return self.disk_floor_mb * 1024 * 1024

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
