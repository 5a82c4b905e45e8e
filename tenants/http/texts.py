"""Texts in bodies: of a bounded length, and such as PostgreSQL can keep."""

from typing import Any

import marshmallow
from marshmallow import fields, validate

#: Characters of the longest text that a field of a record takes.
LONGEST = 1 << 20


class Pattern(validate.Regexp):
    """A pattern that all of a text has to fit: with `$` alone it may go on behind the pattern with a line end."""

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise marshmallow.ValidationError(self._format_error(value))
        return value


def no_nul(text: str) -> None:
    """PostgreSQL can't keep a NUL character in a text."""
    if "\0" in text:
        raise marshmallow.ValidationError("A NUL character can't be stored.")


def free_text() -> fields.String:
    """What somebody writes at length: notes of a record. The largest body of a request leaves room for it."""
    return text(LONGEST)


def text(longest: int = 200, *, required: bool = False, **options: Any) -> fields.String:
    """A text of a bounded length; one that is required is never empty."""
    length = validate.Length(1 if required else 0, longest)
    return fields.String(required=required, allow_none=not required, validate=[length, no_nul], **options)
