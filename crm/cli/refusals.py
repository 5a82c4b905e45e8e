"""Failures that are to be expected, each as the sentence a person gets instead of a traceback."""

from collections.abc import Mapping
from typing import Any

import click


class Refused(click.ClickException):
    """A command that can't do what it was asked: a sentence on stderr, and status 1."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True, file=file)


def in_sentences(said: str, errors: Mapping[str, Any]) -> str:
    """What was said; where that is no sentence of its own, which value is wrong and why."""
    if said.endswith(".") or not errors:
        return said
    found = [
        f"{name}: {' '.join(map(str, each)) if isinstance(each, list) else each}"
        for name, each in errors.items()
    ]
    return "\n".join([f"{said}:", *found])


def sentence_for(error: Exception) -> str | None:
    """The sentence for an expected failure; None for a fault of ours, which deserves its traceback."""
    # Imported here because `--help` should not wait for them.
    from tenants.foundation.errors import Refusal
    from tenants.foundation.servers import ServerFailed
    from tenants.foundation.settings_sources import SettingsError
    from tenants.isolation.key_file import KeyFileUnusable
    from tenants.isolation.outages import outage
    from tenants.isolation.startup import UnsafeDatabase
    from tenants.isolation.storage import StorageFailed

    ours = (SettingsError, ServerFailed, KeyFileUnusable, UnsafeDatabase, StorageFailed)
    if isinstance(error, Refusal):
        return in_sentences(str(error), error.errors)
    if isinstance(error, ours):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.message
    if found := outage(error):
        return found
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return None
