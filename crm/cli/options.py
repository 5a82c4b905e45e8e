"""Options that several commands take, and how their results are printed."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


class Address(click.ParamType[str]):
    """An e-mail address, as it is written to."""

    name = "email"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        # Imported here because `--help` should not wait for them.
        from tenants.foundation.errors import Invalid
        from tenants.mail.messages import usable_address

        try:
            return usable_address(value.strip())
        except Invalid:
            self.fail(f"{value!r} is not an e-mail address.", param, ctx)


class Sha256(click.ParamType[str]):
    """A SHA-256 in hexadecimal, as exports and `sha256sum` show it; lower case from here on."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        # A part of one, or nothing at all from an empty variable, would compare with nothing.
        if not re.fullmatch(r"[0-9a-f]{64}", found := str(value).strip().lower(), re.ASCII):
            self.fail(f"{value!r} is no SHA-256: it has 64 hexadecimal digits.", param, ctx)
        return found


data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="FREEHOLD_DATA_DIR",
    default=Path("var"),
    show_default=True,
    help="Where embedded servers keep their files, and `env` is found.",
)
host = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
port = click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def answer(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result: as one JSON object for a program, as `name: value` lines for a person."""
    if as_json:
        click.echo(json.dumps(result, default=str))
        return
    for name, value in result.items():
        _show(name, value)


def printable(text: str) -> str:
    """Somebody's own words as a terminal shows them: it would obey what can't be printed, and take it for ours."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def _show(name: str, value: Any, indent: str = "") -> None:
    name = f"{indent}{printable(name.replace('_', ' '))}:"
    if isinstance(value, Mapping) and value:
        click.echo(name)
        for each, inner in value.items():
            _show(str(each), inner, indent + "  ")
    else:
        click.echo(f"{name} {_in_words(value)}")


def _in_words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | Mapping):
        return printable(", ".join(map(str, value))) or "none"
    return printable(str(value))


def password_given(*, wanted: bool) -> str | None:
    """The password that stands on stdin in a line of its own, where an option said so."""
    return sys.stdin.readline().rstrip("\n") if wanted else None
