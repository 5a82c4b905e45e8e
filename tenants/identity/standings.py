"""The standing of a user at this moment, for work that goes on after their request."""

from uuid import UUID

from sqlalchemy import text

from tenants.access.caller import Caller
from tenants.identity.standing import GRANTED, STANDING, standing
from tenants.isolation.door import db, here

# Signing out doesn't stop work that was accepted; revoking the key or connected app that asked for it does.
AT_WORK = text(
    STANDING.format(
        credential="'credential', coalesce(cast(:credential as uuid), u.id), 'strong', true, 'confirmed', null,"
        f" 'scopes', case when :kind = 'oauth' then {GRANTED} else k.scopes end",
        source="users u left join api_keys k"
        " on :kind = 'api_key' and k.id = cast(:credential as uuid) and k.user_id = u.id"
        " left join (connected_apps g join oauth_clients a on a.id = g.oauth_client_id)"
        " on :kind = 'oauth' and g.id = cast(:credential as uuid) and g.user_id = u.id",
        good="u.id = :user and (:kind <> 'api_key' or (k.id is not null and k.revoked_at is null))"
        " and (:kind <> 'oauth' or (g.id is not null and g.revoked_at is null))",
    )
)


def standing_of(user_id: UUID, kind: str, credential_id: UUID | None) -> Caller | None:
    """The caller that this user is now, no further than the key or app they asked with; None when they may do nothing.

    Runs inside their tenant.
    """
    found = db().scalar(AT_WORK, {"user": user_id, "kind": kind, "credential": credential_id})
    return standing(kind, here().home.id, found) if found else None
