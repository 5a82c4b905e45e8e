"""Turns the text of a cell into the text that PostgreSQL casts into a column, by the rules of the field it goes to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.http.texts import LONGEST

#: Gets a text that is not empty and has no space around it. Raises Unfit.
Convert = Callable[[str], str]

PLAIN_EMAIL = re.compile(
    r"[a-z0-9]+(?:[._-][a-z0-9]+)*@[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*\.[a-z]{2,6}", re.IGNORECASE
)
WHOLE = re.compile(r"[+-]?\d{1,18}(?:\.0+)?")
KEPT = 20_000
SHORT = 200


class Unfit(Exception):
    """A cell that does not fit its field; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class PlainText:
    """Reads texts that only have to be short enough: many at once can be taken as they are."""

    longest: int

    def __call__(self, text: str) -> str:
        if len(text) > self.longest:
            raise Unfit(f"Longer than {self.longest} characters.")
        return text


def converter(field: fields.Field[Any]) -> Convert:
    """How cells are read that go to this field of a request's body: by the same rules as the body itself.

    Raises TypeError for a field that no single cell can hold.
    """
    for kinds, make in _MAKERS:
        if isinstance(field, kinds):
            return make(field)
    message = f"A {type(field).__name__} can't be read from a cell."
    raise TypeError(message)


def _by_field(field: fields.Field[Any], write: Callable[[Any], str]) -> Callable[[Any], str]:
    """The slow and thorough way: as the body of a request is read."""

    def convert(value: Any) -> str:
        try:
            return write(field.deserialize(value))
        except marshmallow.ValidationError as error:
            raise Unfit(" ".join(_sentences(error.messages))) from None

    return convert


def _remembered(convert: Convert) -> Convert:
    """The same words come again and again in a column."""
    kept = lru_cache(KEPT)(convert)
    return lambda text: kept(text) if len(text) < SHORT else convert(text)


def _text(field: fields.String) -> Convert:
    lengths = [each for each in field.validators if isinstance(each, validate.Length)]
    others = [
        each for each in field.validators if isinstance(each, validate.Validator) and each not in lengths
    ]
    if others:
        return _remembered(_by_field(field, str))
    return PlainText(min((each.max for each in lengths if each.max is not None), default=LONGEST))


def _email(field: fields.Email) -> Convert:
    thorough = _by_field(field, str)
    return lambda text: text if len(text) < SHORT and PLAIN_EMAIL.fullmatch(text) else thorough(text)


def _day(field: fields.Date) -> Convert:
    """Days without further rules are read at once; the rest as bodies are."""
    thorough = _remembered(_by_field(field, _as_text))

    def convert(text: str) -> str:
        return text if _is_iso(text) else thorough(text)

    return thorough if field.validators else convert


def _is_iso(text: str) -> bool:
    """Whether it is a day as `2026-01-31`; weeks and days without signs between are read thoroughly."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _whole(field: fields.Integer) -> Convert:
    def convert(text: str) -> str:
        if not WHOLE.fullmatch(text):
            raise Unfit("Not a whole number.")
        return _by_field(field, str)(int(text.partition(".")[0]))

    return convert


def _word(field: "fields.Enum[Any]") -> Convert:
    words = {str(member.value).casefold(): str(member.value) for member in field.enum}

    def convert(text: str) -> str:
        if found := words.get(text.casefold()):
            return found
        raise Unfit(f"Not one of: {', '.join(words.values())}.")

    return convert


def _list(field: "fields.List[Any]") -> Convert:
    """Several words in a cell, parted by comma or semicolon, as an array literal."""

    def write(words: list[str]) -> str:
        quoted = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
        return "{" + ",".join(quoted) + "}"

    thorough = _by_field(field, write)
    return _remembered(
        lambda text: thorough([word for part in re.split("[,;]", text) if (word := part.strip())])
    )


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.value if isinstance(value, Enum) else value)


def _sentences(messages: Any) -> list[str]:
    if isinstance(messages, dict):
        return [sentence for inner in messages.values() for sentence in _sentences(inner)]
    return [str(each) for each in messages]


# The first kind that fits counts: an e-mail address is a text, a day is a moment.
_MAKERS: tuple[tuple[Any, Callable[[Any], Convert]], ...] = (
    (fields.Email, _email),
    (fields.Date, _day),
    (
        (fields.UUID, fields.Boolean, fields.DateTime, fields.Decimal),
        lambda field: _remembered(_by_field(field, _as_text)),
    ),
    (fields.String, _text),
    (fields.Integer, lambda field: _remembered(_whole(field))),
    (fields.Enum, lambda field: _remembered(_word(field))),
    (fields.List, _list),
)
