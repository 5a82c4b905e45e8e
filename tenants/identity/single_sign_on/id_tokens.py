"""What an ID token says, once everything about it was checked (OpenID Connect Core 1.0, section 3.1.3.7)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jwt import JWTClaimsRegistry

from tenants.identity.single_sign_on.discovery import Metadata, keys_of

#: Signatures by a private key alone: never `none`, and no HS*, whose secret could be the public key.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
LEEWAY_SECONDS = 60
LONGEST = 64 * 1024
LONGEST_SUBJECT = 255
#: "Multiple-factor authentication" in `amr` (RFC 8176).
STRONG_AMR = "mfa"


class TokenRefused(Exception):
    """The ID token proves nothing; the reason is for the log and the tenant's admin, never for who brought it."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who signed in over there: `email` only when the provider says that it was verified."""

    subject: str
    email: str | None
    name: str | None
    authenticated_at: datetime | None
    amr: tuple[str, ...]
    acr: str | None

    def strong(self, strong_acr: str | None) -> bool:
        """Whether the provider says that a second factor was used."""
        return STRONG_AMR in self.amr or (strong_acr is not None and self.acr == strong_acr)


def checked_claims(token: Any, metadata: Metadata, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of a token that this provider made for us, for this sign-in, and not long ago.

    Raises TokenRefused with the reason, OutboundFailed when the provider's keys can't be had.
    """
    if not isinstance(token, str) or len(token) > LONGEST:
        raise TokenRefused("There is no ID token.")
    claims = _verified(token, metadata)
    registry = JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": metadata.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        registry.validate(claims)
    except (JoseError, OverflowError) as error:
        raise TokenRefused(f"The ID token is not good: {error}.") from error
    _check_the_rest(claims, client_id, nonce)
    return claims


def claims_of(said: dict[str, Any]) -> Claims:
    """What we use of checked claims."""
    verified = any(said.get(name) in (True, "true", "1", 1) for name in ("email_verified", "xms_edov"))
    email, name, amr, acr = (said.get(each) for each in ("email", "name", "amr", "acr"))
    return Claims(
        subject=said["sub"],
        email=email.strip().lower() if verified and isinstance(email, str) else None,
        name=name.strip()[:200] if isinstance(name, str) and name.strip() else None,
        authenticated_at=_moment(said.get("auth_time")),
        amr=tuple(map(str, amr)) if isinstance(amr, list) else (),
        acr=acr if isinstance(acr, str) else None,
    )


def _verified(token: str, metadata: Metadata) -> dict[str, Any]:
    """Keys come from the provider's own list: a key, or the address of one, in the token's head is never looked at."""
    try:
        head = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise TokenRefused("The ID token can't be read.") from error
    if head.get("alg") not in ALGORITHMS:
        raise TokenRefused("The ID token is signed in a way that proves nothing.")
    key_id = head.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise TokenRefused("The ID token names its key in no way that we know.")
    for key in keys_of(metadata.jwks_uri, key_id):
        if (claims := _claims(token, key)) is not None:
            return claims
    raise TokenRefused("The ID token is not signed by a key of the provider.")


def _claims(token: str, key: Key) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError):
        return None


def _check_the_rest(claims: dict[str, Any], client_id: str, nonce: str) -> None:
    """What the registry is too generous about: lists where one value is meant, and who the token is for."""
    audience, party = claims["aud"], claims.get("azp")
    if claims["nonce"] != nonce:
        raise TokenRefused("The ID token is not for this sign-in.")
    if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in (None, client_id):
        raise TokenRefused("The ID token is for somebody else.")
    if not 1 <= len(claims["sub"]) <= LONGEST_SUBJECT or not claims["sub"].isprintable():
        raise TokenRefused("The ID token names nobody.")


def _moment(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
