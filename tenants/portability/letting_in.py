"""A way in to a tenant that arrived: its users came without credentials."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import NotFound
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.holding import ADMIN, has_role
from tenants.identity.models import Role, User, UserRole
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.passwords import hash_of
from tenants.identity.signing_in.places import has_address
from tenants.isolation.door import db, inside
from tenants.provisioning.birth import Nursery


@dataclass(frozen=True)
class LetIn:
    """Somebody who can sign in again; the key is never shown a second time."""

    user_id: UUID
    name: str
    email: str | None
    api_key: str | None


def let_in(
    nursery: Nursery, home: Home, email: str | None, *, password: str | None = None, api_key: bool = False
) -> LetIn:
    """Give credentials to the user with this address, who becomes an admin if there was nobody of it.

    Without an address it is the admin who has been there longest. Raises NotFound when there is none.
    """
    with inside(home):
        act_as(SYSTEM, request_id="arrival", source=Source.SYSTEM)
        user = _known(email) if email else _longest_admin()
        if user is None and email:
            user = _new_admin(email)
        if user is None:
            raise NotFound("There is no active admin in it. Name one with an address.")
        if password:
            db().merge(Password(user_id=user.id, hash=hash_of(password, user.name, user.email)))
        key = new_api_key(home, user, "Key after the import") if api_key else None
        db().flush()
        made = LetIn(user.id, user.name, user.email, key)
    if made.email:
        nursery.note_email(home, made.email)
    return made


def _known(email: str) -> User | None:
    return db().scalars(select(User).where(has_address(email))).one_or_none()


def _longest_admin() -> User | None:
    admins = select(User).where(has_role(Role.name == ADMIN), User.state == "active")
    query = admins.order_by(User.created_at, User.id)
    return db().scalars(query.limit(1)).one_or_none()


def _new_admin(email: str) -> User:
    user = User(name=email.partition("@")[0], email=email.strip(), source=Source.SYSTEM)
    db().add(user)
    db().flush()
    role_id = db().scalars(select(Role.id).where(Role.name == ADMIN)).one()
    db().add(UserRole(user_id=user.id, role_id=role_id))
    return user
