"""Writes the table of `docs/settings.md` out of the settings themselves."""

from pathlib import Path

from pydantic.fields import FieldInfo

from tenants.foundation.settings import MEBIBYTE, Settings, env_name

HEAD = """# Settings

Made from `tenants/foundation/settings.py` by `make docs`; a test compares the two.

Each setting is an environment variable. What the environment does not say is read from `<data-dir>/env`,
which `freehold up` writes. A setting that is wrong, or misspelt, stops the start with a sentence.

| variable | default | what it decides |
|---|---|---|
"""

#: Defaults that other settings decide, in words.
IN_WORDS = {
    "storage": "`<data-dir>/storage`",
    "backups": "`<data-dir>/backups`",
    "keyring": "`<data-dir>/keyring`",
    "key_file": "`<data-dir>/key`",
    "key_wrapper": "the key file",
    "secure_cookies": "on in production",
    "cells": "none",
}


def page() -> str:
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return HEAD + "".join(f"{row}\n" for row in rows)


def _row(name: str, field: FieldInfo) -> str:
    return f"| `{env_name(name)}` | {_default(name, field)} | {field.description} |"


def _default(name: str, field: FieldInfo) -> str:
    if name in IN_WORDS:
        return IN_WORDS[name]
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and value % MEBIBYTE == 0 and value:
        return f"`{value}` ({value // MEBIBYTE} MiB)"
    return f"`{value}`"


if __name__ == "__main__":
    Path("docs/settings.md").write_text(page(), encoding="utf-8")
