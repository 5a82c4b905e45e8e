"""The guard: a request's key or cookie, and the one statement that says who that is and what they may do."""

import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import request

from tenants.access.caller import Caller
from tenants.access.permissions import Reach
from tenants.foundation.errors import NotSignedIn
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.http.guard import Credential
from tenants.isolation.reading import Question

KEY_PREFIX = "fhk"
SESSION_PREFIX = "fhs"
REACHES = frozenset(each.value for each in Reach)
STANDING = """
select json_build_object('user', u.id, 'name', u.name, 'team', u.team_id, 'credential', c.id, {scopes},
  'teams', (select json_agg(m.team_id order by m.team_id) from team_members m where m.user_id = u.id),
  'roles', (select json_agg(r.permissions order by r.id) from user_roles g join roles r on r.id = g.role_id
            where g.user_id = u.id))::text
from {table} c join users u on u.id = c.user_id, tenant_profile t
where c.hash = %(hash)s and {good} and u.state = 'active' and t.state = 'active'
"""
QUESTIONS = {
    "api_key": STANDING.format(
        table="api_keys",
        scopes="'scopes', c.scopes",
        good="c.revoked_at is null and (c.expires_at is null or c.expires_at > now())",
    ),
    "session": STANDING.format(
        table="sessions", scopes="'scopes', null", good="c.ended_at is null and c.expires_at > now()"
    ),
}  # fmt: skip


class Recognition:
    """Knows users by API keys and by session cookies."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

    def credential(self) -> Credential:
        """The credential of the request at hand: `Authorization: Bearer` before the cookie."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _credential("api_key", KEY_PREFIX, token.strip())
        if cookie := request.cookies.get(self.cookie):
            return _credential("session", SESSION_PREFIX, cookie)
        raise NotSignedIn

    def question(self, credential: Credential) -> Question:
        return Question(QUESTIONS[credential.kind], {"hash": credential.hash})

    def caller(self, credential: Credential, answer: Sequence[tuple[Any, ...]]) -> Caller:
        if not answer:
            raise NotSignedIn
        return standing(credential.kind, credential.tenant_id, answer[0][0])


def _credential(kind: str, prefix: str, token: str) -> Credential:
    tenant_id = tenant_of_token(token, prefix)
    if tenant_id is None:
        raise NotSignedIn
    return Credential(kind, tenant_id, token_hash(token), csrf_token(token) if kind == "session" else "")


def csrf_token(session_token: str) -> str:
    """What a form of a session has to send along; it can't be worked out without the cookie."""
    return sha256(b"csrf\0" + session_token.encode()).hexdigest()


@lru_cache(10_000)
def standing(kind: str, tenant_id: UUID, text: str) -> Caller:
    """The caller that the guard's text describes; roles merge to the best of each, a key's scopes narrow them."""
    found = json.loads(text)
    rights: dict[str, Reach] = {}
    for permissions in found["roles"] or ():
        for name, reach in permissions.items():
            # A role that came in a bundle may say what nobody here knows: that gives no right.
            if isinstance(reach, str) and reach in REACHES:
                rights[name] = rights.get(name, Reach(reach)) | Reach(reach)
    if found["scopes"] is not None:
        rights = {name: reach for name, reach in rights.items() if name in found["scopes"]}
    return Caller(
        kind=kind,
        name=found["name"],
        tenant_id=tenant_id,
        user_id=UUID(found["user"]),
        credential_id=UUID(found["credential"]),
        team_id=UUID(found["team"]) if found["team"] else None,
        teams=tuple(UUID(team) for team in found["teams"] or ()),
        rights=rights,
    )
