"""Every way to say no: a rule raises a Refusal, the HTTP layer puts it into words once."""

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

FieldErrors: TypeAlias = Mapping[str, list[str]]


class Refusal(Exception):
    """An answer that is no; `detail` is a sentence for whoever asked.

    `status` is the HTTP status, `code` the stable word programs may rely on.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request can't be understood"

    def __init__(
        self, detail: str = "", *, errors: FieldErrors | None = None, code: str | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = dict(errors or {})
        self.stable_code = code or self.code


class Malformed(Refusal):
    """The request itself can't be read: broken JSON, a cursor that is none."""


class NotSignedIn(Refusal):
    """No credential, or one that is not (or no longer) good."""

    status = 401
    code = "not_signed_in"
    title = "Sign in first"


class NotAllowed(Refusal):
    """The caller is known and lacks the right."""

    status = 403
    code = "not_allowed"
    title = "You may not do this"


class NotFound(Refusal):
    """There is no such thing, or none that this caller can reach: the two are never told apart."""

    status = 404
    code = "not_found"
    title = "There is no such thing"


class Conflict(Refusal):
    """The request is well formed and against a rule of the business."""

    status = 409
    code = "conflict"
    title = "This can't be done as things stand"


class Gone(Refusal):
    """It was there and will not come back: its time is over, or the key that it was sealed with was destroyed."""

    status = 410
    code = "gone"
    title = "This is gone for good"


class PreconditionFailed(Refusal):
    """`If-Match` names a version that is no longer the current one (RFC 9110, 13.1.1)."""

    status = 412
    code = "precondition_failed"
    title = "Somebody else changed it meanwhile"


class TooLarge(Refusal):
    """The content is larger than we take."""

    status = 413
    code = "too_large"
    title = "That is too large"


class UnsupportedContent(Refusal):
    """The content type is not one this route reads."""

    status = 415
    code = "unsupported_content"
    title = "This kind of content is not read here"


class Invalid(Refusal):
    """The content is malformed; `errors` names the fields."""

    status = 422
    code = "invalid"
    title = "Some values are not right"


class TooManyRequests(Refusal):
    """The allowance is used up; `retry_after` is in seconds."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """Something we need is away; the same request may go through later."""

    status = 503
    code = "unavailable"
    title = "Not available at the moment"
