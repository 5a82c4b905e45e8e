"""What a request to the authorization server may look like at all, before Authlib reads it."""

import re
from base64 import b64decode
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidRequestError
from flask import request

from tenants.http.bodies import PLAIN_FORM

#: RFC 6749, appendix A: printable ASCII; what is named in an error's text holds no quote and no backslash besides.
VISIBLE = re.compile(r"[ -~]*")
QUOTABLE = re.compile(r"[ !#-\[\]-~]*")
OPAQUE = ("state",)
LONGEST = 4000


def check_query() -> None:
    """Raises InvalidRequestError for a request to the consent page that can be read in two ways."""
    _check(list(request.args.lists()))


def check_form() -> None:
    """Raises InvalidRequestError for parameters that are no form, or stand in the address, or come twice."""
    if request.args or request.mimetype != PLAIN_FORM:
        raise InvalidRequestError("Send the parameters as a form, and none in the address.")
    _check(list(request.form.lists()))


def check_one_credential() -> None:
    """Raises InvalidRequestError when a client shows who it is in two ways (RFC 6749, 2.3)."""
    also_named = request.form.get("client_id", named_client()) != named_client()
    if "Authorization" in request.headers and ("client_secret" in request.form or also_named):
        raise InvalidRequestError("Authenticate the client in one way.")


def named_client() -> str:
    """The client that the request claims to be of."""
    basic = basic_pair(request.headers.get("Authorization", ""))
    return basic[0] if basic else request.form.get("client_id", "")


def basic_pair(header: str) -> tuple[str, str] | None:
    """Client id and secret of an Authorization header (RFC 6749, 2.3.1); None for any other header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8, or not even ASCII
        return None
    return (unquote_plus(name), unquote_plus(secret)) if colon else None


def _check(found: list[tuple[str, list[str]]]) -> None:
    for name, values in found:
        if len(values) > 1:
            raise InvalidRequestError("A parameter comes more than once.")
        fits = (VISIBLE if name in OPAQUE else QUOTABLE).fullmatch(values[0])
        if not fits or len(values[0]) > LONGEST:
            raise InvalidRequestError("A parameter holds what none may hold.")
