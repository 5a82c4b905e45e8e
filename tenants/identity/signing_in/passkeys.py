"""Passkeys (WebAuthn 2), with user verification always: the library checks signatures, we what it leaves open."""

import json
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Select, select, update

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.identity.models import User
from tenants.identity.signing_in.challenges import LASTS_SECONDS, burn, is_ours, new_challenge
from tenants.identity.signing_in.models import Authenticator
from tenants.isolation.door import db, here
from tenants.isolation.keys import KeyWrapper

NAME = "Freehold"


class PasskeyRefused(Exception):
    """What a browser sent proves nothing; the message is a word for the record."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the program is reached: passkeys belong to its host's name, and sign for its origin only."""

    host: str
    origin: str
    wrapper: KeyWrapper

    @classmethod
    def of(cls, public_url: str, wrapper: KeyWrapper) -> "Site":
        parts = urlsplit(public_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}", wrapper)

    def must_have_a_name(self) -> None:
        """Raises Conflict where browsers make no passkeys."""
        try:
            ip_address(self.host)
        except ValueError:
            return
        raise Conflict(
            "Browsers make passkeys for a name, not for an IP address: set FREEHOLD_PUBLIC_URL.",
            code="no_passkeys_here",
        )


def registration_options(site: Site, user: User, tenant_name: str) -> dict[str, Any]:
    """What the browser needs to make a passkey (`navigator.credentials.create`)."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    site.must_have_a_name()
    existing = db().scalars(_passkeys(user.id)).all()
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=NAME,
        user_id=handle_of(here().home.id, user.id),
        user_name=f"{user.email or user.name} ({tenant_name})",
        user_display_name=user.name,
        challenge=new_challenge(site.wrapper),
        timeout=LASTS_SECONDS * 1000,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(existing),
    )
    read: dict[str, Any] = json.loads(options_to_json(options))
    return read


def sign_in_options(site: Site, user_id: UUID | None = None) -> dict[str, Any]:
    """What the browser needs to use a passkey: one of this user's, or any that it has for us."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import structs

    existing = db().scalars(_passkeys(user_id)).all() if user_id else []
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=new_challenge(site.wrapper),
        timeout=LASTS_SECONDS * 1000,
        allow_credentials=_descriptors(existing),
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    read: dict[str, Any] = json.loads(options_to_json(options))
    return read


def finish_registration(site: Site, passkey: Authenticator, credential: dict[str, Any]) -> None:
    """Fill in what the browser made. Raises PasskeyRefused for what isn't verified, is of another site, or is old."""
    from webauthn import verify_registration_response

    challenge = _challenge(site, credential)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _faults() as error:
        raise PasskeyRefused("not verified") from error
    if not burn(challenge, passkey.user_id):
        raise PasskeyRefused("repeated")
    passkey.credential_id, passkey.public_key = made.credential_id, made.credential_public_key
    passkey.sign_count = made.sign_count


def use_passkey(site: Site, user_id: UUID, credential: dict[str, Any]) -> Authenticator:
    """The user's passkey that signed. Raises PasskeyRefused: not theirs, not verified, repeated, or copied."""
    from webauthn import verify_authentication_response

    challenge = _challenge(site, credential)
    passkey = _named(user_id, credential)
    try:
        shown = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key or b"",
            # It would refuse a count that went back in the words of any other mistake: we look at it below.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except _faults() as error:
        raise PasskeyRefused("not verified") from error
    if not burn(challenge, user_id):
        raise PasskeyRefused("repeated")
    _count(passkey, shown.new_sign_count)
    return passkey


def handle_of(tenant_id: UUID, user_id: UUID) -> bytes:
    """What a passkey remembers of its user, so that it can sign in without an address: ids, and nothing personal."""
    return tenant_id.bytes + user_id.bytes


def of_handle(credential: dict[str, Any]) -> tuple[UUID, UUID]:
    """Tenant and user that a passkey remembers. Raises PasskeyRefused."""
    from webauthn.helpers import base64url_to_bytes

    try:
        handle = base64url_to_bytes(credential["response"]["userHandle"])
        return UUID(bytes=handle[:16]), UUID(bytes=handle[16:])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused("no user") from error


def _count(passkey: Authenticator, shown: int) -> None:
    """A counter that does not grow is a copy of the key (WebAuthn 2, 6.1.1). Many passkeys don't count: always 0."""
    grown = Authenticator.sign_count < shown if shown else Authenticator.sign_count == 0
    noted = update(Authenticator).where(Authenticator.id == passkey.id, grown)
    counted = db().execute(noted.values(sign_count=shown, last_used_at=now()).returning(Authenticator.id))
    if counted.first() is None:
        raise PasskeyRefused("copied")


def _faults() -> tuple[type[Exception], ...]:
    """What reading nonsense raises, in the library and in what it reads with."""
    from cbor2 import CBORError
    from webauthn.helpers.exceptions import WebAuthnException

    return (
        WebAuthnException,
        CBORError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        EOFError,
        OverflowError,
        RecursionError,
    )


def _challenge(site: Site, credential: dict[str, Any]) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    try:
        said = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(said["challenge"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PasskeyRefused("not readable") from error
    if not is_ours(site.wrapper, challenge):
        raise PasskeyRefused("too old")
    return challenge


def _named(user_id: UUID, credential: dict[str, Any]) -> Authenticator:
    from webauthn.helpers import base64url_to_bytes

    try:
        credential_id = base64url_to_bytes(credential["rawId"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused("not readable") from error
    found = db().scalars(_passkeys(user_id).where(Authenticator.credential_id == credential_id)).one_or_none()
    if found is None:
        raise PasskeyRefused("unknown")
    return found


def _passkeys(user_id: UUID) -> Select[Authenticator]:
    return select(Authenticator).where(
        Authenticator.user_id == user_id,
        Authenticator.kind == "passkey",
        Authenticator.confirmed_at.is_not(None),
    )


def _descriptors(passkeys: Any) -> list[Any]:
    from webauthn.helpers import structs

    return [structs.PublicKeyCredentialDescriptor(id=each.credential_id) for each in passkeys]
