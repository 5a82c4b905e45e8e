"""The guard: a request's key, token or cookie, and the one statement that says who that is and what they may do."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from flask import request

from tenants.access.caller import Caller
from tenants.foundation.errors import NotSignedIn
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.http.guard import Credential
from tenants.identity.standing import STANDING, standing
from tenants.isolation.reading import Question

KEY_PREFIX = "fhk"
SESSION_PREFIX = "fhs"
#: What a program shows in `Authorization: Bearer`, by the prefix of the secret.
BEARERS = {KEY_PREFIX: "api_key"}
PROGRAM = "'credential', c.id, 'scopes', c.scopes, 'strong', true, 'confirmed', null"
PERSON = (
    "'credential', c.id, 'scopes', null, 'strong', c.strong, 'confirmed', extract(epoch from c.confirmed_at)"
)
UNEXPIRED = "c.hash = %(hash)s and c.revoked_at is null and (c.expires_at is null or c.expires_at > now())"
QUESTIONS = {
    "api_key": STANDING.format(
        credential=PROGRAM, source="api_keys c join users u on u.id = c.user_id", good=UNEXPIRED
    ),
    "session": STANDING.format(
        credential=PERSON,
        source="sessions c join users u on u.id = c.user_id",
        good="c.hash = %(hash)s and c.ended_at is null and c.expires_at > now()",
    ),
}


class Recognition:
    """Knows users by keys, tokens and session cookies."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

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
        return Question(QUESTIONS[credential.kind], {"hash": credential.hash})

    def caller(self, credential: Credential, answer: Sequence[tuple[Any, ...]]) -> Caller:
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
