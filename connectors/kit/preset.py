"""A connector declared by a mapping (preset.yaml) instead of Python."""

from __future__ import annotations

from pathlib import Path

from connectors.kit.connector import Connector
from crm_core.errors import Misconfigured


def load(folder: Path) -> Connector:
    raise Misconfigured("preset_not_supported", f"{folder.name}: mappings are not read yet.")
