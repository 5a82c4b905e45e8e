"""Domains of e-mail addresses that are a tenant's own: claimed, proven by a DNS record, and found again by hash."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select

from tenants.audit.recording import record_event
from tenants.catalog.models import LookupHash
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.clock import now
from tenants.foundation.dns_records import txt_records
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Source
from tenants.identity.single_sign_on.models import ClaimedDomain
from tenants.isolation.door import db, here

KIND = "domain"
RECORD_NAME = "_freehold"
RECORD_START = "freehold-domain="


@dataclass(frozen=True, slots=True)
class DomainClaims:
    """Which tenant has which domain: keyed hashes in the catalog, so that it holds no list of customers' domains."""

    catalog: Catalog
    hashed: Callable[[str, str], bytes]

    def take(self, domain: str, home: Home) -> None:
        """Note that a domain is this tenant's. Raises Conflict when it is another's; of two at once, one gets it."""
        hashed = self.hashed(domain, KIND)
        with self.catalog.transaction() as session:
            # Two tenants that prove the same domain at once: the second waits, and finds it taken.
            session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(hashed[:8], signed=True))))
            query = select(LookupHash.tenant_id).where(LookupHash.kind == KIND, LookupHash.hash == hashed)
            holders = set(session.scalars(query))
            if holders - {home.id}:
                raise Conflict("This domain belongs to another workspace.", code="claimed_elsewhere")
            if not holders:
                session.add(LookupHash(kind=KIND, hash=hashed, tenant_id=home.id))

    def give_up(self, domain: str, home: Home) -> None:
        """Nobody has this domain any more, if it was this tenant's."""
        hashed = self.hashed(domain, KIND)
        with self.catalog.transaction() as session:
            mine = (LookupHash.kind == KIND, LookupHash.hash == hashed, LookupHash.tenant_id == home.id)
            session.execute(delete(LookupHash).where(*mine))

    def home_of(self, domain: str) -> Home | None:
        """The tenant that has a domain."""
        found = self.catalog.by_hash(KIND, self.hashed(domain, KIND))
        return found[0] if found else None


_claims: list[DomainClaims] = []


def use_claims(claims: DomainClaims) -> None:
    """Say once, at start-up, where all tenants' claims are noted."""
    _claims[:] = [claims]


def claims_of_house() -> DomainClaims:
    """The claims of all tenants."""
    return _claims[0]


def claim(domain: str) -> ClaimedDomain:
    """A claim that is not proven yet: it shows the record to publish, and opens nothing."""
    return ClaimedDomain(domain=domain, proof=secrets.token_urlsafe(24))


def prove(claimed: ClaimedDomain, claims: DomainClaims) -> None:
    """Look for the record, and take the domain. Raises Conflict when it isn't there, or the domain is another's."""
    if not is_published(claimed.domain, claimed.proof):
        wanted = f"'{RECORD_START}{claimed.proof}' at {record_name(claimed.domain)}"
        raise Conflict(
            f"There is no TXT record {wanted} yet. New ones take a while.",
            code="record_missing",
        )
    grant(claimed, claims)


def grant(claimed: ClaimedDomain, claims: DomainClaims) -> None:
    """Take the domain for the tenant at hand, whose it is known to be. Raises Conflict when it is another's."""
    claims.take(claimed.domain, here().home)
    claimed.verified_at, claimed.missing_since = claimed.verified_at or now(), None
    db().flush()


def assign(domain: str, claims: DomainClaims, why: str) -> ClaimedDomain:
    """The platform's word that a domain is that of the tenant at hand; no record is looked for, then or later.

    Raises Conflict when it is another's. The tenant gives it up as any other.
    """
    claimed = db().scalars(select(ClaimedDomain).where(ClaimedDomain.domain == domain)).one_or_none()
    if claimed is None:
        claimed = claim(domain)
        db().add(claimed)
    claimed.source = Source.SYSTEM
    db().flush()
    grant(claimed, claims)
    record_event("claimed-domains.assigned", "claimed-domains", claimed.id, {"why": [None, why]})
    return claimed


def is_assigned() -> ColumnElement[bool]:
    """The condition over `ClaimedDomain`: it is the platform's word that counts, and no record."""
    return ClaimedDomain.source == Source.SYSTEM


def is_published(domain: str, proof: str) -> bool:
    """Whether DNS has the record that proves a claim. Raises Unavailable when it can't be asked."""
    return RECORD_START + proof in txt_records(record_name(domain))


def record_name(domain: str) -> str:
    """Where the record that proves a claim is looked for."""
    return f"{RECORD_NAME}.{domain}"


def domain_of(email: str) -> str:
    return email.rpartition("@")[2].strip().lower()


def is_ours(email: str) -> bool:
    """Whether an address is in a domain that the tenant at hand has proven to be its own."""
    query = select(func.count()).where(
        ClaimedDomain.domain == domain_of(email), ClaimedDomain.verified_at.is_not(None)
    )
    return bool(db().scalar(query))
