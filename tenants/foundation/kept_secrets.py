"""Passwords that we made ourselves and need again at the next start, in one file only we can read."""

import json
import os
import secrets
from pathlib import Path


def write_privately(file: Path, content: str) -> None:
    """Replace a file in one step, readable by its owner only: a reader finds the old one or the new one."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)


class KeptSecrets:
    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, name: str) -> str:
        """The password of this name, made at the first asking."""
        kept: dict[str, str] = json.loads(self._file.read_text("utf-8")) if self._file.exists() else {}
        if name not in kept:
            kept[name] = secrets.token_urlsafe(24)
            write_privately(self._file, json.dumps(kept, indent=1))
        return kept[name]
