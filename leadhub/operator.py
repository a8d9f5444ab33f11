"""Who types commands: whoever may run them on the hub's machine may everything, and stands in the audit by their account there."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_core.access import Principal


def operator() -> Principal:
    """The account that the process runs under ("cli:root"), whatever the environment says; its number where it has no name."""
    from crm_core.access import Principal

    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # in a container, an account is often a number only
        name = str(number)
    return Principal("cli", number, name, "admin")
