"""Where an address could sign in: its workspaces, or for an unknown one somebody else's, where nothing is found."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal, select, union_all

from tenants.catalog.models import LookupHash, Tenant
from tenants.catalog.registry import LIVING, PLACE, Catalog, Home, home_of
from tenants.identity.models import User
from tenants.isolation.keys import KeyWrapper

#: An address whose owner is in more workspaces than this names the one they mean.
MOST_TENANTS = 20


@dataclass(frozen=True, slots=True)
class Places:
    """The workspaces of an address, oldest first, and one to do as much work in when there are none."""

    homes: list[Home]
    decoy: Home | None


def places_of(catalog: Catalog, hashed_email: bytes) -> Places:
    """One look-up for known and unknown addresses: the rows from this hash on, of which the first few may be its own.

    After the last hash comes the first one again: nobody is without a decoy while anybody has an address.
    """
    rows_of = (
        select(LookupHash.hash, LookupHash.tenant_id, *PLACE)
        .join(Tenant, Tenant.id == LookupHash.tenant_id)
        .where(LookupHash.kind == "email", Tenant.state.in_(LIVING))
        .order_by(LookupHash.hash, LookupHash.tenant_id)
    )
    from_here = rows_of.where(LookupHash.hash >= hashed_email).limit(MOST_TENANTS).subquery()
    from_the_first = rows_of.limit(1).subquery()
    rounds = union_all(select(literal(1).label("round"), from_here), select(literal(2), from_the_first))
    with catalog.transaction() as session:
        rows = session.execute(rounds.order_by("round", "hash", "tenant_id")).all()
    found = [(bytes(row.hash), home_of(row)) for row in rows]
    homes = list(dict.fromkeys(home for hashed, home in found if hashed == hashed_email))
    return Places(homes, next((home for _, home in found), None))


def named(catalog: Catalog, places: Places, hashed_email: bytes, slug: str) -> Places:
    """Only the workspace of this slug; it is found however many others the address has."""
    home = catalog.by_slug(slug)
    known = home is not None and (home in places.homes or home in catalog.by_hash("email", hashed_email))
    return Places([home] if known and home else [], places.decoy)


def has_address(email: str) -> ColumnElement[bool]:
    """The user with this e-mail address."""
    return func.lower(User.email) == normal(email)


def hashed_address(wrapper: KeyWrapper, email: str) -> bytes:
    """All that the catalog knows of an address: keyed, and the same however it is spelt."""
    return wrapper.hashed(normal(email), "email")


def normal(email: str) -> str:
    """One spelling of an address, for looking it up and counting what is done to it."""
    return email.strip().lower()
