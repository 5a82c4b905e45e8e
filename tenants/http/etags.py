"""Versions of records as entity tags (RFC 9110, 8.8.3 and 13.1)."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, request

from tenants.http.selection import Asked

LONGEST = 10
VERSION = re.compile(r'"version":\s?(\d+)')


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version() -> int | None:
    """The version that `If-Match` names, or None; -1 matches nothing. The weak marks that proxies add are ignored."""
    text = request.headers.get("If-Match")
    if text is None or text.strip() == "*":
        return None
    mark = text.strip().removeprefix("W/").strip('"')
    return int(mark) if mark.isascii() and mark.isdigit() and len(mark) < LONGEST else -1


def tagged(response: Response, asked: Asked, rows: Sequence[tuple[Any, ...]]) -> Response:
    """The response with its ETag when it is one record, or 304 when the caller has that version already.

    What is included may change without the record, so an answer with includes carries no tag. What is worked out may
    change too, with the day for instance: such an answer carries the tag that `If-Match` needs, and is always sent.
    """
    if asked.limit or request.args.get("include") or not rows:
        return response
    found = VERSION.search(rows[0][0])
    if found is None:
        return response
    response.headers["ETag"] = etag(int(found[1]))
    moving = bool(asked.resource.expressions)
    if not moving and request.headers.get("If-None-Match", "").removeprefix("W/") == response.headers["ETag"]:
        response.status_code = 304
        response.set_data(b"")
    return response
