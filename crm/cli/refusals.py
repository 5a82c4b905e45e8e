"""Failures that are to be expected, each as the sentence a person gets instead of a traceback."""

from typing import Any

import click


class Refused(click.ClickException):
    """A command that can't do what it was asked: a sentence on stderr, and status 1."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True, file=file)


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

    ours = (SettingsError, ServerFailed, KeyFileUnusable, UnsafeDatabase, StorageFailed, Refusal)
    if isinstance(error, ours):
        return str(error)
    if isinstance(error, click.ClickException):
        return error.message
    if found := outage(error):
        return found
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return None
