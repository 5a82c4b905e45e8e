"""The providers that a tenant's people sign in with."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from tenants.access.policy import change, find, remove, save
from tenants.audit.recording import record_event
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.single_sign_on.models import ExternalIdentity, IdentityProvider
from tenants.identity.single_sign_on.permissions import (
    CREATE_PROVIDERS,
    DELETE_PROVIDERS,
    EDIT_PROVIDERS,
    READ_PROVIDERS,
)
from tenants.identity.single_sign_on.rules import check_fields, close_other_ways_in
from tenants.identity.single_sign_on.schemas import IDENTITY_PROVIDERS, IdentityProviderBody
from tenants.isolation.door import db

identity_providers = Blueprint(
    "identity-providers", __name__, url_prefix="/identity-providers", purpose=Purpose.SECURITY
)


@identity_providers.page("", IDENTITY_PROVIDERS, may=READ_PROVIDERS)
def list_identity_providers() -> Selection:
    """Where people sign in elsewhere."""
    return Selection(IDENTITY_PROVIDERS)


@identity_providers.one("/<uuid:provider_id>", IDENTITY_PROVIDERS, may=READ_PROVIDERS)
def get_identity_provider(provider_id: UUID) -> Selection:
    """One provider."""
    return Selection(IDENTITY_PROVIDERS, {"id": provider_id}, single=True)


@identity_providers.post("", may=CREATE_PROVIDERS)
@identity_providers.takes(IdentityProviderBody())
@identity_providers.answers(201, IDENTITY_PROVIDERS)
def create_identity_provider(fields: dict[str, Any]) -> IdentityProvider:
    """Add a provider; it is asked what it is like before it is kept."""
    provider = IdentityProvider(**fields)
    check_fields(provider, fields)
    made = save(provider)
    close_other_ways_in(made)
    return made


@identity_providers.patch("/<uuid:provider_id>", may=EDIT_PROVIDERS)
@identity_providers.takes(IdentityProviderBody(partial=True))
@identity_providers.answers(200, IDENTITY_PROVIDERS)
def change_identity_provider(fields: dict[str, Any], provider_id: UUID) -> IdentityProvider:
    """Change a provider (JSON merge patch, RFC 7396). Another issuer knows other people: nobody stays linked."""
    provider = find(IdentityProvider, provider_id, lock=True)
    if fields.get("issuer", provider.issuer) != provider.issuer:
        _unlink(provider)
    with db().no_autoflush:  # what the rules refuse in words isn't shown to the database first
        for name, value in fields.items():
            setattr(provider, name, value)
        check_fields(provider, fields)
    changed = change(provider, fields)
    close_other_ways_in(changed)
    return changed


@identity_providers.delete("/<uuid:provider_id>", may=DELETE_PROVIDERS)
@identity_providers.response(204)
def delete_identity_provider(provider_id: UUID) -> None:
    """End signing in with a provider. Users stay; who had no password gets one by a reset."""
    provider = find(IdentityProvider, provider_id, lock=True)
    _unlink(provider)
    remove(provider)


def _unlink(provider: IdentityProvider) -> None:
    links = db().scalars(select(ExternalIdentity.id).where(ExternalIdentity.provider_id == provider.id)).all()
    unlinking = delete(ExternalIdentity).where(ExternalIdentity.provider_id == provider.id)
    db().execute(unlinking.execution_options(audited=True))
    record_event("identity-providers.unlinked", "identity-providers", provider.id, {"users": [len(links), 0]})
