"""Every refusal as `application/problem+json` (RFC 9457), and nothing of our insides."""

import json
from typing import Any

import marshmallow
import orjson
import structlog
from flask import Flask, Response, g
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, UnprocessableEntity

from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import (
    Conflict,
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    PreconditionFailed,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from tenants.isolation.violations import ERRORS, refusal_of

log = structlog.get_logger(__name__)
ALTERED = (
    "Something here was altered or damaged where it is stored, so it is not shown. Whoever runs this installation"
    " was told and can restore it from a copy."
)
FOR_STATUS: dict[int, type[Refusal]] = {400: Malformed, 401: NotSignedIn, 404: NotFound, 413: TooLarge}


class Fault(Refusal):
    """Nobody said no: something went wrong on our side, and nothing of it is told."""

    status = 500
    code = "internal"
    title = "Something went wrong on our side"


class ProblemSchema(marshmallow.Schema):
    """RFC 9457 with three members of ours: `code`, `errors` and `request_id`."""

    type = marshmallow.fields.String(required=True)
    title = marshmallow.fields.String(required=True)
    status = marshmallow.fields.Integer(required=True)
    detail = marshmallow.fields.String()
    code = marshmallow.fields.String(required=True)
    errors = marshmallow.fields.Dict(
        keys=marshmallow.fields.String(), values=marshmallow.fields.List(marshmallow.fields.String())
    )
    request_id = marshmallow.fields.String(required=True)


def register(app: Flask) -> None:
    """Answer every error of this app as a problem document."""
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(HTTPException, lambda error: answer(_of_http(error), keep=error))
    for kind in ERRORS:
        app.register_error_handler(kind, lambda error: answer(refusal_of(error)))
    app.register_error_handler(StaleDataError, lambda _: answer(PreconditionFailed()))
    app.register_error_handler(Unreadable, _altered)
    app.register_error_handler(Exception, _unforeseen)


def answer(refusal: Refusal, keep: HTTPException | None = None) -> Response:
    """The problem document of a refusal. `keep` hands on headers of a werkzeug error, `Allow` for instance."""
    status = keep.code if keep is not None and keep.code and type(refusal) is Refusal else refusal.status
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": keep.name if keep is not None and type(refusal) is Refusal else refusal.title,
        "status": status,
        "code": refusal.stable_code,
        "request_id": g.get("request_id", ""),
    }
    if refusal.detail:
        body["detail"] = refusal.detail
    if refusal.errors:
        body["errors"] = refusal.errors
    made = Response(_rendered(body), status, content_type="application/problem+json")
    if keep is not None and keep.get_response() is not None and "Allow" in keep.get_response().headers:
        made.headers["Allow"] = keep.get_response().headers["Allow"]
    if isinstance(refusal, TooManyRequests):
        made.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, NotSignedIn):
        made.headers["WWW-Authenticate"] = 'Bearer realm="freehold"'
    if status == Unavailable.status:
        made.headers["Retry-After"] = "2"
        log.warning("unavailable", reason=str(refusal), cause=type(refusal.__cause__).__name__)
    g.problem = refusal.stable_code
    return made


def _rendered(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # what was sent and is named here may be no text: half of a surrogate pair
        return json.dumps(body).encode()


def _of_http(error: HTTPException) -> Refusal:
    if isinstance(error, UnprocessableEntity):
        found = getattr(error, "data", {}).get("messages", {})
        return Invalid(
            errors=dict(_flat("", next(iter(found.values()), {}) if isinstance(found, dict) else {}))
        )
    known = FOR_STATUS.get(error.code or 500)
    if known is not None:
        return known()
    code = {405: "method_not_allowed", 415: "unsupported_content"}.get(error.code or 500, "http_error")
    return Refusal(code=code)


def _flat(path: str, messages: Any) -> list[tuple[str, list[str]]]:
    """Nested messages of marshmallow as one level: `lines.0.quantity`."""
    if isinstance(messages, dict):
        return [
            pair for name, inner in messages.items() for pair in _flat(f"{path}.{name}".strip("."), inner)
        ]
    return [(path.removeprefix("_schema") or "body", [str(each) for each in messages])]


def _altered(error: Unreadable) -> Response:
    """What is sealed proves itself on opening: this is no fault of the request, and trying again does not help."""
    log.error("altered", reason=str(error))
    return answer(Conflict(ALTERED, code="altered"))


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen", error=type(error).__name__, exc_info=error)
    return answer(Fault())
