"""Files that are sent to be kept: never shown by a browser, under a name that can't be taken for anything else."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from flask import Response

from tenants.http.security_headers import go_by_policy

#: How a route that sends a file is described.
BYTES: dict[str, Any] = {
    "200": {
        "description": "The file.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
#: Were it shown all the same, nothing in it could run, and it would be of no origin.
POLICY = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#: What RFC 8187 lets stand as it is, besides letters and digits.
PLAIN = "!#$&+-.^_`|~"
IN_QUOTES = frozenset('"\\%')


def downloaded(
    chunks: Iterator[bytes], close: Callable[[], None], size: int, name: str, media_type: str
) -> Response:
    """An answer that sends the chunks, `size` bytes of them, and calls `close` when it is sent or broken off."""
    answer = Response(chunks, content_type=media_type)
    answer.call_on_close(close)
    answer.headers["Content-Length"] = str(size)
    answer.headers["Content-Disposition"] = content_disposition(name)
    go_by_policy(POLICY)
    return answer


def content_disposition(name: str) -> str:
    """`attachment` with the name, in ASCII for old programs and whole for all others (RFC 6266, 4.3 and appendix D)."""
    fallback = "".join(each if _fits(each) else "_" for each in name)
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe=PLAIN)}"


def _fits(letter: str) -> bool:
    return letter.isascii() and letter.isprintable() and letter not in IN_QUOTES
