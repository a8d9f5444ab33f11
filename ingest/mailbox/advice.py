"""What usually helps when a mailbox cannot be opened, by the code of its failure. English; the console has its own words."""

from __future__ import annotations

from collections.abc import Mapping

_WAY = (
    "The server's name and port are those that the provider names: 993 with tls, 143 with starttls.",
    "A firewall between the hub and the server lets the connection through.",
)
_ENCRYPTION = (
    "Port 993 wants tls, port 143 wants starttls.",
    "The server is named as in its certificate, not by its number.",
)

#: In the order in which they help most often.
ADVICE: Mapping[str, tuple[str, ...]] = {
    "auth_failed": (
        "An app password is needed, not the one that people sign in with.",
        "Access by IMAP is switched on in the settings of the mailbox.",
        "A sign-in from a new place was confirmed in a letter from the provider.",
    ),
    "host_unknown": ("The name of the server is spelled as the provider spells it, for example imap.example.com.",),
    "refused": _WAY,
    "timeout": _WAY,
    "network": _WAY,
    "connection_lost": _WAY,
    "certificate": _ENCRYPTION,
    "tls": _ENCRYPTION,
    "cleartext": ("Choose tls, or starttls: the server wants encryption before the password.",),
    "folder_missing": ("The folder is written as in the list of folders; most mailboxes receive into INBOX.",),
    "not_connected": ("The account has a licence and may open this mailbox.",),
    "limit": ("Close other mail programs that read this mailbox, then check again.",),
}


def advice_for(code: str) -> tuple[str, ...]:
    return ADVICE.get(code, ())
