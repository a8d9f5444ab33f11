"""Makes the folder of a new connector, which passes the conformance suite as it stands and is then changed to the truth.

python -m connectors.kit.tools.new NAME FAMILY            a connector in Python; FAMILY: forms or telephony
python -m connectors.kit.tools.new NAME forms --preset    a mapping without Python
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from connectors.kit import registry
from connectors.kit.tools.samples import samples_of, write_expected
from connectors.kit.tools.templates import FILES
from crm_core.base.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("forms", "telephony", "preset")


def create(name: str, family: str, *, preset: bool = False, root: Path = ROOT) -> Path:
    """The new folder. Raises Misconfigured for a name that cannot be one or is taken."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise Misconfigured("wrong_name", f"{name!r}: a connector's name is lower case letters, digits and _.")
    if family not in ("forms", "telephony") or (preset and family != "forms"):
        raise Misconfigured("wrong_family", "FAMILY is forms or telephony; a mapping (--preset) is possible for forms.")
    if name in registry.names():
        raise Misconfigured("name_taken", f"There is a connector named {name!r} already.")
    folder = root / family / name
    for file, text in FILES["preset" if preset else family].items():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("NAME", name).replace("TITLE", name.replace("_", " ").title()), encoding="utf-8")
    return folder


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m connectors.kit.tools.new", description="Makes the folder of a new connector."
    )
    parser.add_argument("name")
    parser.add_argument("family", choices=("forms", "telephony"))
    parser.add_argument("--preset", action="store_true", help="a mapping (preset.yaml) instead of Python")
    options = parser.parse_args(arguments)
    try:
        folder = create(options.name, options.family, preset=options.preset)
    except Misconfigured as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    registry.forget()
    for sample in samples_of(registry.get(options.name), folder):
        write_expected(registry.get(options.name), sample)
    sys.stdout.write(
        f"{folder.relative_to(ROOT.parent)} is made. Now make it true: the samples first, then the code, then README.md.\n"
        f"  python -m connectors.kit.tools.samples {options.name}\n"
        f"  pytest tests/conformance -k {options.name}\n"
        "  python -m connectors.kit.tools.catalogue\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
