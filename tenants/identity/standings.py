"""The standing of a user at this moment, for work that goes on after their request."""

from uuid import UUID

from sqlalchemy import text

from tenants.access.caller import Caller
from tenants.identity.recognition import standing
from tenants.isolation.door import db, here

# Signing out doesn't stop work that was accepted; revoking the key that asked for it does.
STANDING = text("""
select json_build_object('user', u.id, 'name', u.name, 'team', u.team_id,
  'credential', coalesce(cast(:credential as uuid), u.id), 'scopes', k.scopes,
  'teams', (select json_agg(m.team_id order by m.team_id) from team_members m where m.user_id = u.id),
  'roles', (select json_agg(r.permissions order by r.id) from user_roles g join roles r on r.id = g.role_id
            where g.user_id = u.id))::text
from users u left join api_keys k on :kind = 'api_key' and k.id = cast(:credential as uuid) and k.user_id = u.id,
  tenant_profile t
where u.id = :user and u.state = 'active' and t.state = 'active'
  and (:kind <> 'api_key' or (k.id is not null and k.revoked_at is null))
""")


def standing_of(user_id: UUID, kind: str, credential_id: UUID | None) -> Caller | None:
    """The caller that this user is now, no further than the key they asked with; None when they may do nothing.

    Runs inside their tenant.
    """
    found = db().scalar(STANDING, {"user": user_id, "kind": kind, "credential": credential_id})
    return standing(kind, here().home.id, found) if found else None
