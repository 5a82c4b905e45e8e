"""How bodies are received: how large one may be, with room for the free texts of its route, and where its files wait."""

import re
from collections.abc import Callable
from typing import IO, Any

from flask import Request, current_app, request
from marshmallow import Schema, validate

from tenants.foundation.errors import TooLarge, UnsupportedContent
from tenants.foundation.sealed_spools import sealed_spool
from tenants.http.texts import LONGEST

FORM = "multipart/form-data"
#: What a page without a script sends, and who asks for a token; JSON is what the API takes.
PLAIN_FORM = "application/x-www-form-urlencoded"
JSON_TYPES = ("application/json", "application/merge-patch+json")
#: Bytes that JSON may write one character in: two escapes of six for what is beyond U+FFFF (RFC 8259, 7).
LONGEST_CHARACTER = 12
TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class SealedUploads(Request):
    """A request whose files never lie in clear on a disk while they arrive."""

    def _get_file_stream(self, *_said: object, **_also: object) -> IO[bytes]:
        return sealed_spool()


def room_of(schema: Schema) -> int:
    """Bytes that the free texts of a body may come to, however they are written."""
    rules = (rule for field in schema.fields.values() for rule in field.validators)
    free = [rule for rule in rules if isinstance(rule, validate.Length) and rule.max == LONGEST]
    return LONGEST_CHARACTER * LONGEST * len(free)


def most_of(view: Callable[..., Any] | None) -> int:
    """Bytes that the body of a request to this route may have."""
    most: int = current_app.extensions["house"].settings.max_body_bytes
    return most + int(getattr(view, "room", 0))


def check_body(room: int = 0) -> None:
    """Raises UnsupportedContent when the body is not JSON, TooLarge when it is more than a record can be.

    Room is for texts alone. What is outside of them is bounded as anywhere: it takes many times its bytes to read.
    """
    if request.mimetype not in JSON_TYPES:
        raise UnsupportedContent("Send JSON: Content-Type application/json.")
    most = most_of(None)
    if (request.content_length or 0) > most + room:
        raise TooLarge(f"At most {most + room} bytes.")
    content = request.get_data(cache=True)
    if len(content) > most and len(TEXTS.sub(b'""', content)) > most:
        raise TooLarge(f"At most {most} bytes, besides free texts.")
