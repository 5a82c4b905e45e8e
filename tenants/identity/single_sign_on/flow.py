"""One sign-in elsewhere: out to the provider with a state that only this browser can bring back, and in again."""

import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import structlog
from authlib.integrations.base_client import OAuthError
from requests import RequestException
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.foundation.errors import Conflict, NotSignedIn
from tenants.foundation.exchange import OutboundFailed
from tenants.foundation.identifiers import token_hash
from tenants.foundation.outbound import OutboundRefused
from tenants.foundation.settings import Settings
from tenants.identity.one_time import give, take
from tenants.identity.signing_in.models import Session
from tenants.identity.signing_in.opening import ELSEWHERE, begin_session
from tenants.identity.single_sign_on.client import Client
from tenants.identity.single_sign_on.discovery import Metadata, ProviderUnusable, metadata_of
from tenants.identity.single_sign_on.exclusive import in_use
from tenants.identity.single_sign_on.id_tokens import Claims, TokenRefused, checked_claims, claims_of
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.identity.single_sign_on.recognising import user_of
from tenants.isolation.door import db, inside

KIND = "single-sign-on"
LASTS = timedelta(minutes=10)
#: Longer ago than any step-up accepts: the provider did not say that its person was there.
NOT_CONFIRMED = timedelta(days=1)
REFUSED = (
    "Signing in elsewhere did not work. Begin again; if it happens again, ask an admin of your workspace."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the secret that stays with it."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session that was begun, and the path it was begun for."""

    token: str
    next: str


def depart(client: Client, next_path: str, *, confirm: bool) -> Departure:
    """Send a browser to its provider (RFC 9700: state, nonce, PKCE). `confirm` asks its person to sign in anew.

    Raises ProviderUnusable or OutboundFailed when the provider can't be asked what it is like.
    """
    metadata = metadata_of(client.issuer)
    browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    with inside(client.home):
        act_as(SYSTEM)
        state = give(
            KIND,
            lasts=LASTS,
            provider=str(client.provider_id),
            browser=_hashed(browser),
            nonce=nonce,
            verifier=verifier,
            next=next_path,
        )
    asked = {"nonce": nonce, **({"prompt": "login", "max_age": "0"} if confirm else {})}
    with client.session(metadata) as session:
        url, _ = session.create_authorization_url(
            metadata.authorization_endpoint, state=state, code_verifier=verifier, **asked
        )
    return Departure(url, browser)


def arrive(client: Client, said: Mapping[str, str], browser: str, settings: Settings) -> Arrival:
    """Take a browser back with what its provider says. Raises NotSignedIn in the same words whatever was wrong."""
    noted = _taken(client, said.get("state", ""))
    try:
        _check_way_back(client, noted, said, browser)
        metadata = metadata_of(client.issuer)
        _check_issuer(metadata, said)
        claims = _claims(client, metadata, said["code"], noted)
        return Arrival(_begun(client, claims, settings), noted["next"])
    except (TokenRefused, ProviderUnusable, OutboundRefused, OutboundFailed) as error:
        _record_refusal(client, str(error))
        raise NotSignedIn(REFUSED, code="sso_refused") from error


def _taken(client: Client, state: str) -> dict[str, Any]:
    """What was noted with the state, which from now on is used up, whatever comes of it."""
    with suppress(Conflict), inside(client.home):
        act_as(SYSTEM)
        return take(KIND, state).details
    raise NotSignedIn(REFUSED, code="sso_refused")


def _check_way_back(client: Client, noted: Mapping[str, Any], said: Mapping[str, str], browser: str) -> None:
    if noted["provider"] != str(client.provider_id):
        raise TokenRefused("The answer is another provider's (mix-up).")
    if not hmac.compare_digest(noted["browser"], _hashed(browser)):
        raise TokenRefused("The sign-in was begun in another browser.")
    if "error" in said or not said.get("code"):
        raise TokenRefused(f"The provider says no: {said.get('error', 'without a code')[:100]}.")


def _check_issuer(metadata: Metadata, said: Mapping[str, str]) -> None:
    """RFC 9207: an answer says whose it is. Authlib leaves this to its caller."""
    if said.get("iss", metadata.issuer) != metadata.issuer or (metadata.names_itself and "iss" not in said):
        raise TokenRefused("The answer is not the provider's (iss).")


def _claims(client: Client, metadata: Metadata, code: str, noted: Mapping[str, Any]) -> Claims:
    """Redeem the code. What the ID token leaves out of the address is asked for with the access token."""
    try:
        with client.session(metadata) as session:
            tokens = session.fetch_token(metadata.token_endpoint, code=code, code_verifier=noted["verifier"])
            said = checked_claims(tokens.get("id_token"), metadata, client.client_id, noted["nonce"])
            if "email" not in said and metadata.userinfo_endpoint:
                said = _with_profile(said, session.get(metadata.userinfo_endpoint).json())
    except (OAuthError, RequestException, ValueError, TypeError, AttributeError) as error:
        raise TokenRefused(f"The provider did not redeem the code: {type(error).__name__}.") from error
    return claims_of(said)


def _with_profile(claims: dict[str, Any], profile: Any) -> dict[str, Any]:
    """The profile is believed when it is of the same person (OpenID Connect Core 1.0, section 5.3.2)."""
    if not isinstance(profile, dict) or profile.get("sub") != claims["sub"]:
        raise TokenRefused("The profile is somebody else's.")
    wanted = ("email", "email_verified", "xms_edov", "name")
    return {**{name: profile[name] for name in wanted if name in profile}, **claims}


def _begun(client: Client, claims: Claims, settings: Settings) -> str:
    """A session for whoever it is. Of two first sign-ins of one person at once, the second finds who the first made."""
    try:
        return _session_for(client, claims, settings)
    except IntegrityError:
        return _session_for(client, claims, settings)


def _session_for(client: Client, claims: Claims, settings: Settings) -> str:
    with inside(client.home):
        act_as(SYSTEM)
        provider = db().scalars(
            select(IdentityProvider).where(IdentityProvider.id == client.provider_id, *in_use())
        ).one_or_none()  # fmt: skip
        if provider is None:
            raise TokenRefused("The provider is not in use any more.")
        user = user_of(provider, claims)
        token = begin_session(settings, user, method=ELSEWHERE, strong=claims.strong(provider.strong_acr))
        session = db().scalars(select(Session).where(Session.hash == token_hash(token))).one()
        session.confirmed_at = _confirmed_at(claims, session.created_at)
    return token


def _confirmed_at(claims: Claims, begun: datetime) -> datetime:
    """Whoever has a session over there comes in without being asked: only `auth_time` says when somebody was."""
    if claims.authenticated_at is None:
        return begun - NOT_CONFIRMED
    return min(claims.authenticated_at, begun)


def _record_refusal(client: Client, reason: str) -> None:
    log.warning("single_sign_on_refused", provider=str(client.provider_id), reason=reason)
    with inside(client.home):
        act_as(SYSTEM)
        record_event(
            "identity-providers.refused", "identity-providers", client.provider_id, {"reason": reason}
        )


def _hashed(browser: str) -> str:
    return sha256(browser.encode()).hexdigest()
