"""Keys that programs come in with."""

from typing import Any
from uuid import UUID

from flask import g

from tenants.access.caller import acting
from tenants.access.policy import find, save
from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.programs.models import ApiKey
from tenants.identity.programs.permissions import CREATE_API_KEYS, DELETE_API_KEYS, READ_API_KEYS
from tenants.identity.programs.schemas import API_KEYS, ApiKeyBody, NewApiKeySchema
from tenants.identity.recognition import KEY_PREFIX
from tenants.isolation.door import here

api_keys = Blueprint("api-keys", __name__, url_prefix="/api-keys", purpose=Purpose.SECURITY)


@api_keys.page("", API_KEYS, may=READ_API_KEYS)
def list_api_keys() -> Selection:
    """The tenant's API keys, without their secrets."""
    return Selection(API_KEYS)


@api_keys.post("", may=CREATE_API_KEYS)
@api_keys.takes(ApiKeyBody())
@api_keys.response(201, NewApiKeySchema)
def create_api_key(said: dict[str, Any]) -> dict[str, Any]:
    """Make a key that acts as me. Its secret is in this answer and never shown again."""
    caller = acting().caller
    if beyond := sorted(set(said.get("scopes") or ()) - caller.rights.keys()):
        raise Invalid(errors={"scopes": [f"You don't have '{name}' yourself." for name in beyond]})
    token = new_token(KEY_PREFIX, here().home.id)
    key = save(ApiKey(**said, user_id=caller.user_id, hash=token_hash(token), hint=token[-4:]))
    g.holds_secret = True
    return {
        **{name: getattr(key, name) for name in NewApiKeySchema().fields if name != "secret"},
        "secret": token,
    }


@api_keys.delete("/<uuid:key_id>", may=DELETE_API_KEYS)
@api_keys.response(204)
def revoke_api_key(key_id: UUID) -> None:
    """Revoke a key; its next request is refused."""
    key = find(ApiKey, key_id)
    key.revoked_at = key.revoked_at or now()
