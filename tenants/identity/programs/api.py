"""Keys that programs come in with."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request

from tenants.access.permissions import ANYONE
from tenants.access.policy import find
from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.http.selection import Selection
from tenants.identity.programs.leaked import revoke_leaked
from tenants.identity.programs.models import ApiKey
from tenants.identity.programs.permissions import CREATE_API_KEYS, DELETE_API_KEYS, READ_API_KEYS
from tenants.identity.programs.rotating import make_key, rotate
from tenants.identity.programs.schemas import (
    API_KEYS,
    ApiKeyBody,
    ApiKeySchema,
    LeakedBody,
    NewApiKeySchema,
    RotationBody,
)

REPORTS = Allowance("leaked-address", 60)

api_keys = Blueprint("api-keys", __name__, url_prefix="/api-keys", purpose=Purpose.SECURITY)


@api_keys.page("", API_KEYS, may=READ_API_KEYS)
def list_api_keys() -> Selection:
    """API keys without their secrets: one's own, or everybody's for who may see those."""
    return Selection(API_KEYS)


@api_keys.one("/<uuid:key_id>", API_KEYS, may=READ_API_KEYS)
def get_api_key(key_id: UUID) -> Selection:
    """One API key."""
    return Selection(API_KEYS, {"id": key_id}, single=True)


@api_keys.post("", may=CREATE_API_KEYS)
@api_keys.takes(ApiKeyBody(), of=API_KEYS)
@api_keys.response(201, NewApiKeySchema)
def create_api_key(said: dict[str, Any]) -> dict[str, Any]:
    """Make a key that acts as me. Its secret is in this answer and never shown again."""
    return _with_secret(*make_key(**said))


@api_keys.post("/<uuid:key_id>/rotation", may=CREATE_API_KEYS)
@api_keys.takes(RotationBody(), of=API_KEYS)
@api_keys.response(201, NewApiKeySchema)
def rotate_api_key(said: dict[str, Any], key_id: UUID) -> dict[str, Any]:
    """Put a new key in the place of one of mine, which goes on working for `grace_seconds`."""
    grace = timedelta(seconds=said["grace_seconds"])
    return _with_secret(*rotate(find(ApiKey, key_id, lock=True), grace, said))


@api_keys.delete("/<uuid:key_id>", may=DELETE_API_KEYS)
@api_keys.response(204)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key; its next request is refused."""
    key = find(ApiKey, key_id)
    key.revoked_at = key.revoked_at or now()


@api_keys.post("/leaked", may=ANYONE)
@api_keys.takes(LeakedBody())
@api_keys.response(204)
def report_leaked_secret(said: dict[str, Any]) -> Response:
    """Hand in a secret that you found: it is revoked at once. The answer is the same whether it was one or not."""
    house = the_house()
    house.limits.hit((REPORTS, request.remote_addr or ""))
    revoke_leaked(house.catalog, said["secret"], request.remote_addr, g.request_id)
    return Response(status=204)


def _with_secret(key: ApiKey, secret: str) -> dict[str, Any]:
    g.holds_secret = True
    return {name: getattr(key, name) for name in ApiKeySchema().fields} | {"secret": secret}
