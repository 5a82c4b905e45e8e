"""What every tenant begins with: its profile, its roles, and its first admin."""

from dataclasses import dataclass
from uuid import UUID

from tenants.access.roles import built_in_roles
from tenants.catalog.registry import Home
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Source
from tenants.identity.models import Role, TenantProfile, User, UserRole
from tenants.identity.programs.models import ApiKey
from tenants.identity.recognition import KEY_PREFIX
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db


@dataclass(frozen=True)
class Founder:
    """The first admin of a tenant. `api_key` asks for a key that acts as them."""

    name: str
    email: str | None = None
    password: str | None = None
    api_key: bool = False


@dataclass(frozen=True)
class Founding:
    """What a founding gave: the admin, and their key, which is never shown again."""

    user_id: UUID
    api_key: str | None


def found(home: Home, slug: str, name: str, founder: Founder) -> Founding:
    """Lay down profile, roles and admin inside a tenant that was just claimed."""
    session = db()
    session.add(TenantProfile(id=home.id, slug=slug, name=name))
    roles = [
        Role(name=each, built_in=True, permissions=permissions, source=Source.SYSTEM)
        for each, permissions in built_in_roles().items()
    ]
    admin = User(name=founder.name, email=founder.email, source=Source.SYSTEM)
    session.add_all([*roles, admin])
    session.flush()
    session.add(UserRole(user_id=admin.id, role_id=next(role.id for role in roles if role.name == "admin")))
    if founder.password:
        session.add(
            Password(user_id=admin.id, hash=hash_of(founder.password, founder.name, founder.email, name))
        )
    key = new_api_key(home, admin, "First key") if founder.api_key else None
    session.flush()
    return Founding(admin.id, key)


def new_api_key(home: Home, user: User, name: str, scopes: list[str] | None = None) -> str:
    """A key that acts as this user; only its hash is kept."""
    token = new_token(KEY_PREFIX, home.id)
    key = ApiKey(
        user_id=user.id,
        owner_id=user.id,
        name=name,
        hash=token_hash(token),
        hint=token[-4:],
        scopes=scopes,
        source=Source.SYSTEM,
    )
    db().add(key)
    return token
