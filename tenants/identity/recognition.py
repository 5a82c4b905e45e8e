"""The guard: a request's key, token or cookie, and the one statement that says who that is and what they may do."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from flask import request

from tenants.access.caller import Caller
from tenants.catalog.registry import Home
from tenants.foundation.errors import NotSignedIn
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.http.guard import Credential
from tenants.identity.last_seen import LastSeen
from tenants.identity.standing import GRANTED, STANDING, standing
from tenants.isolation.reading import Question

KEY_PREFIX = "fhk"
SESSION_PREFIX = "fhs"
ACCESS_PREFIX = "fha"
#: What a program shows in `Authorization: Bearer`, by the prefix of the secret.
BEARERS = {KEY_PREFIX: "api_key", ACCESS_PREFIX: "oauth"}
PROGRAM = (
    "'credential', c.id, 'scopes', c.scopes, 'strong', true, 'confirmed', null,"
    " 'too_old', c.created_at < now() - make_interval(days => t.api_key_max_days)"
)
PERSON = (
    "'credential', c.id, 'scopes', null, 'strong', c.strong, 'confirmed', extract(epoch from c.confirmed_at)"
)
UNEXPIRED = "c.hash = %(hash)s and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())"
QUESTIONS = {
    "oauth": STANDING.format(
        credential=f"'credential', g.id, 'scopes', {GRANTED}, 'strong', true, 'confirmed', null",
        source="oauth_tokens c join connected_apps g on g.id = c.connected_app_id"
        " join oauth_clients a on a.id = g.oauth_client_id join users u on u.id = g.user_id",
        good="c.hash = %(hash)s and c.kind = 'access' and c.revoked_at is null and c.expires_at > now()"
        " and g.revoked_at is null and (g.expires_at is null or g.expires_at > now())",
    ),
    "api_key": STANDING.format(
        credential=PROGRAM, source="api_keys c join users u on u.id = c.user_id", good=UNEXPIRED
    ),
    "session": STANDING.format(
        credential=PERSON,
        source="sessions c join users u on u.id = c.user_id",
        good="c.hash = %(hash)s and c.ended_at is null and c.expires_at > now()"
        " and c.last_seen_at > now() - %(idle)s::interval",
    ),
}


class Recognition:
    """Knows users by keys, tokens and session cookies; a session that nobody used for `idle` is over."""

    def __init__(self, cookie: str, idle: timedelta) -> None:
        self.cookie, self.idle = cookie, idle
        self._last_seen = LastSeen()

    def credential(self) -> Credential:
        """The credential of the request at hand: `Authorization: Bearer` before the cookie."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = token.strip()
            prefix = token.partition("_")[0]
            return _credential(BEARERS.get(prefix, ""), prefix, token)
        if cookie := request.cookies.get(self.cookie):
            return _credential("session", SESSION_PREFIX, cookie)
        raise NotSignedIn

    def question(self, credential: Credential) -> Question:
        return Question(QUESTIONS[credential.kind], {"hash": credential.hash, "idle": self.idle})

    def seen(self, credential: Credential, home: Home) -> None:
        self._last_seen.note(credential, home)

    def caller(self, credential: Credential, answer: Sequence[tuple[Any, ...]]) -> Caller:
        """The caller behind an answer. Raises NotSignedIn, for a key that is too old with a sentence that says so."""
        if not answer:
            raise NotSignedIn
        return standing(credential.kind, credential.tenant_id, answer[0][0])


def _credential(kind: str, prefix: str, token: str) -> Credential:
    tenant_id = tenant_of_token(token, prefix) if kind else None
    if tenant_id is None:
        raise NotSignedIn
    return Credential(kind, tenant_id, token_hash(token), csrf_token(token) if kind == "session" else "")


def csrf_token(session_token: str) -> str:
    """What a form of a session has to send along; it can't be worked out without the cookie."""
    return sha256(b"csrf\0" + session_token.encode()).hexdigest()
