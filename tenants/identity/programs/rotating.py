"""Keys are made and follow one another: a new secret, and some time in which both work."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.identifiers import new_token, token_hash
from tenants.identity.programs.models import ApiKey
from tenants.identity.recognition import KEY_PREFIX
from tenants.isolation.door import here


def make_key(**fields: Any) -> tuple[ApiKey, str]:
    """A key that acts as the caller, with its secret.

    Raises Invalid for permissions that the caller lacks, and for an end that is over already.
    """
    caller = acting().caller
    if beyond := sorted(set(fields.get("scopes") or ()) - caller.rights.keys()):
        raise Invalid(errors={"scopes": [f"You don't have '{name}' yourself." for name in beyond]})
    if fields.get("expires_at") and fields["expires_at"] <= now():
        raise Invalid(errors={"expires_at": ["This is over already."]})
    token = new_token(KEY_PREFIX, here().home.id)
    key = ApiKey(**fields, user_id=caller.user_id, hash=token_hash(token), hint=token[-4:])
    return save(key), token


def rotate(key: ApiKey, grace: timedelta, said: Mapping[str, Any]) -> tuple[ApiKey, str]:
    """A key in place of this one, which goes on working for the grace and no longer.

    It may do what the one before might. Raises Conflict for somebody else's key, whose secret would be their way in,
    and for one that doesn't work any more.
    """
    if key.user_id != acting().caller.user_id:
        raise Conflict("Only the user that a key acts as can rotate it.", code="not_yours")
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now()):
        raise Conflict("This key doesn't work any more. Make a new one.", code="gone")
    lasted = key.expires_at - key.created_at if key.expires_at else None
    expires_at = said["expires_at"] if "expires_at" in said else lasted and now() + lasted
    made = make_key(name=key.name, scopes=key.scopes, expires_at=expires_at, replaces_id=key.id)
    ends = now() + grace
    key.expires_at = min(ends, key.expires_at) if key.expires_at else ends
    return made
