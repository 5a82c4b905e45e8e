"""What a user may at this moment: worked out by one statement, whoever asks on their behalf."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from tenants.access.caller import Caller
from tenants.access.permissions import Reach
from tenants.catalog.models import State
from tenants.foundation.errors import NotSignedIn

REACHES = frozenset(each.value for each in Reach)
#: The standing of user `u` in tenant `t`, as one JSON text. Who manages a team counts as being in it.
STANDING = """
select json_build_object('user', u.id, 'name', u.name, 'team', u.team_id, 'teams', mine.ids,
  'mfa', t.mfa_required, 'state', t.state, 'fields', t.fields_version,
  'subteams', (select json_agg(b.id order by b.id) from teams b where b.path && mine.ids),
  'roles', (select json_agg(json_build_array(r.permissions, r.fields, r.mfa_required) order by r.id) from roles r
            where r.id in (select role_id from user_roles where user_id = u.id
                           union all select role_id from team_roles where team_id = any(mine.ids))),
  'shares', (select json_agg(json_build_array(s.resource, s.level, s.record_id) order by s.id) from record_shares s
             where (s.user_id = u.id or s.team_id = any(mine.ids)) and (s.expires_at is null or s.expires_at > now())),
  {credential})::text
from {source}, tenant_profile t, lateral (
  select array_agg(team_id order by team_id) as ids from (
    select team_id from team_members where user_id = u.id
    union select id from teams where manager_id = u.id) them) mine
where {good} and u.state = 'active'
"""
#: The scopes of connected app `g`, less what its client `a` has lost since. None left is an empty list: no right.
GRANTED = (
    "(select coalesce(jsonb_agg(named.scope), '[]') from jsonb_array_elements_text(g.scopes) named(scope)"
    " where a.scopes @> to_jsonb(named.scope))"
)


TOO_OLD = "This API key is older than your workspace allows. Make a new one, or rotate this one, signed in yourself."


@lru_cache(10_000)
def standing(kind: str, tenant_id: UUID, text: str) -> Caller:
    """The caller that a standing describes; roles merge to the best of each, a credential's scopes narrow them.

    Raises NotSignedIn for a key that is older than its tenant allows.
    """
    found = json.loads(text)
    if found.get("too_old"):
        raise NotSignedIn(TOO_OLD, code="key_too_old")
    roles = found["roles"] or []
    rights = _rights(role[0] for role in roles)
    if found["scopes"] is not None:
        rights = {name: reach for name, reach in rights.items() if name in found["scopes"]}
    hidden, fixed = _closed_fields(roles)
    teams = tuple(map(UUID, found["teams"] or ()))
    confirmed = found["confirmed"]
    return Caller(
        kind=kind,
        name=found["name"],
        tenant_id=tenant_id,
        user_id=UUID(found["user"]),
        credential_id=UUID(found["credential"]),
        team_id=UUID(found["team"]) if found["team"] else None,
        teams=teams,
        subteams=tuple({*teams, *map(UUID, found["subteams"] or ())}),
        rights=rights,
        shares=_shares(found["shares"] or ()),
        hidden=hidden,
        fixed=fixed,
        confirmed_at=datetime.fromtimestamp(confirmed, UTC) if confirmed else None,
        limited="mfa_required" if _lacks_second_factor(found, roles) else None,
        state=State(found["state"]),
        fields_version=found["fields"],
    )


def _rights(each_role: Iterable[Mapping[str, Any]]) -> dict[str, Reach]:
    rights: dict[str, Reach] = {}
    for permissions in each_role:
        for name, reach in permissions.items():
            # A role that came in a bundle may say what nobody here knows: that gives no right.
            if isinstance(reach, str) and reach in REACHES:
                rights[name] = rights.get(name, Reach(reach)) | Reach(reach)
    return rights


def _closed_fields(roles: list[Any]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Which fields are hidden, and which can't be changed.

    A field is hidden when every role that reads the resource hides it, and fixed when every role that does more than
    read closes it: a role that says nothing of the resource opens none of its fields.
    """
    hidden: dict[str, frozenset[str]] = {}
    fixed: dict[str, frozenset[str]] = {}
    for resource in {name for _, rules, _ in roles for name in rules}:
        reading, changing = _rules_on(resource, roles)
        none = [{name for name, level in rules.items() if level == "none"} for rules in reading]
        if gone := frozenset(set.intersection(*none) if none else ()):
            hidden[resource] = gone
        if kept := gone | frozenset(set.intersection(*map(set, changing)) if changing else ()):
            fixed[resource] = kept
    return hidden, fixed


def _rules_on(resource: str, roles: list[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The field rules of the roles that read a resource, and of those that do more; each stands in for the other."""
    reading, changing = [], []
    for rights, rules, _ in roles:
        actions = {name.partition(":")[2] for name in rights if name.partition(":")[0] == resource}
        said = rules.get(resource, {})
        reading += [said] if "read" in actions else []
        changing += [said] if actions - {"read"} else []
    return reading or changing, changing or reading


def _shares(listed: Iterable[tuple[str, str, str]]) -> dict[str, tuple[UUID, ...]]:
    """The ids of shared records by the permission that the share widens: `edit` widens reading too."""
    shares: dict[str, list[UUID]] = {}
    for resource, level, record in listed:
        for action in ("read", "edit") if level == "edit" else ("read",):
            shares.setdefault(f"{resource}:{action}", []).append(UUID(record))
    return {name: tuple(ids) for name, ids in shares.items()}


def _lacks_second_factor(found: Mapping[str, Any], roles: list[Any]) -> bool:
    return not found["strong"] and (found["mfa"] or any(required for _, _, required in roles))
