"""A key: one phone, e-mail, messenger or conversation in the form that is compared, and how far it may be trusted to mean one person."""

from __future__ import annotations

from typing import Literal

from crm_core.base.frozen import frozen

#: phone | email | thread (a conversation of one source) | telegram_id and the like (docs/identity.md).
Kind = str

#: strong: belongs to one person, may join. weak: a reception, a role, a guess; only suggests or needs a full name.
#: blocked: a placeholder or a machine's number; recognised so that it joins nobody.
#: "Shared" is not here: only history can tell that many people use one value, so `crm_core.contacts.rules` says it.
Strength = Literal["strong", "weak", "blocked"]

#: Flags of keys that were inferred and not written by anybody. They serve to look up candidates for a suggestion;
#: storing one would weaken the same value when somebody really writes it.
GUESSES = frozenset({"alias", "sibling", "other_country"})


@frozen
class Key:
    kind: Kind
    value: str  # canonical: E.164 of a phone, lower-case ASCII-domain address of an e-mail
    strength: Strength
    display: str  # what to dial (E.164) or write to (the address as written, trimmed)
    flags: tuple[str, ...] = ()  # machine-readable codes, in a fixed order; docs/identity.md lists them
    extension: str = ""  # digits after the number; narrows who is meant behind a reception's number

    @property
    def is_guess(self) -> bool:
        """True if nobody wrote this value: look it up, never store it and never join on it."""
        return not GUESSES.isdisjoint(self.flags)

    @property
    def is_unsure(self) -> bool:
        """True for a phone whose country is a guess: stored and shown, and joins only people of one full name."""
        return "country_unsure" in self.flags
