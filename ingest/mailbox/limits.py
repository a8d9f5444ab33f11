"""How much is asked of a mail server at once, and how patiently. One value, so that tests can make everything small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    window_uids: int = 5_000  # a SEARCH answer above 125 000 UIDs breaks imaplib's line limit
    metadata_mails: int = 500  # sizes and dates in one FETCH
    metadata_failures: int = 100  # of one poll that are looked into; more is no matter of single mails
    batch_mails: int = 50  # within 7 % of the speed of 200, with a quarter of the memory
    batch_bytes: int = 8 * 1024 * 1024
    raw_bytes: int = 35 * 1024 * 1024  # Gmail's own limit of a mail is 35 651 584
    oversize_bytes: int = 1024 * 1024  # what is kept of a larger one: its headers and the beginning
    attempts: int = 5  # then a mail whose body will not come is kept with its headers alone
    retry_seconds: float = 30.0  # doubles with every attempt
    backoff_seconds: float = 5.0  # first pause after a failure of the mailbox; doubles
    longest_backoff_seconds: float = 1_800.0
    auth_retry_seconds: float = 1_800.0  # more sign-ins with a wrong password get an account locked
    sweep_seconds: float = 3_600.0
    sweep_days: int = 4  # three, and one because SINCE compares dates in the server's zone
    resyncs_a_day: int = 5


DEFAULT = Limits()
