"""Every refusal in SCIM's own format (RFC 7644, section 3.12), and nothing of our insides."""

from typing import Any

from scim2_models import Error, SCIMException
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from tenants.foundation.errors import Invalid, Malformed, PreconditionFailed, Refusal
from tenants.isolation.violations import ERRORS, refusal_of

TAKEN = "already_exists"
#: What becomes an answer here; everything else is unforeseen, and answered by the house.
FORESEEN: tuple[Any, ...] = (SCIMException, Refusal, StaleDataError, HTTPException, *ERRORS)


def error_of(exception: Exception) -> Error:
    """The error document of one of FORESEEN, or a 500 that says nothing."""
    if isinstance(exception, SCIMException):
        return exception.to_error()
    if isinstance(exception, HTTPException):
        return Error(status=exception.code or 500, detail=exception.name)
    if isinstance(exception, StaleDataError):
        exception = PreconditionFailed()
    if isinstance(exception, ERRORS):
        exception = refusal_of(exception)
    if isinstance(exception, Refusal):
        return _of_refusal(exception)
    return Error(status=500, detail="Something went wrong on our side.")


def _of_refusal(refusal: Refusal) -> Error:
    said = [refusal.detail or refusal.title]
    said += [f"{name}: {' '.join(texts)}" for name, texts in refusal.errors.items()]
    detail = " ".join(said)
    if isinstance(refusal, Invalid):  # SCIM knows no 422
        return Error(status=400, scim_type="invalidValue", detail=detail)
    if isinstance(refusal, Malformed):
        return Error(status=400, scim_type="invalidSyntax", detail=detail)
    scim_type = "uniqueness" if refusal.stable_code == TAKEN else None
    return Error(status=refusal.status, scim_type=scim_type, detail=detail)
