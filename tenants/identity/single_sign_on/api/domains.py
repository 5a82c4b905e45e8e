"""The e-mail domains that are a tenant's own."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find, remove, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.single_sign_on.domains import claim, claims_of_house, prove
from tenants.identity.single_sign_on.models import ClaimedDomain
from tenants.identity.single_sign_on.permissions import (
    CREATE_DOMAINS,
    DELETE_DOMAINS,
    EDIT_DOMAINS,
    READ_DOMAINS,
)
from tenants.identity.single_sign_on.rules import a_strangers_turn
from tenants.identity.single_sign_on.schemas import CLAIMED_DOMAINS, ClaimedDomainBody
from tenants.isolation.door import here

claimed_domains = Blueprint(
    "claimed-domains", __name__, url_prefix="/claimed-domains", purpose=Purpose.SECURITY
)


@claimed_domains.page("", CLAIMED_DOMAINS, may=READ_DOMAINS)
def list_claimed_domains() -> Selection:
    """Which e-mail domains are ours, and which are still to be proven."""
    return Selection(CLAIMED_DOMAINS)


@claimed_domains.one("/<uuid:domain_id>", CLAIMED_DOMAINS, may=READ_DOMAINS)
def get_claimed_domain(domain_id: UUID) -> Selection:
    """One claimed domain."""
    return Selection(CLAIMED_DOMAINS, {"id": domain_id}, single=True)


@claimed_domains.post("", may=CREATE_DOMAINS)
@claimed_domains.takes(ClaimedDomainBody())
@claimed_domains.answers(201, CLAIMED_DOMAINS)
def create_claimed_domain(fields: dict[str, Any]) -> ClaimedDomain:
    """Claim a domain. It counts once it is proven by the record that the answer names."""
    return save(claim(fields["domain"]))


@claimed_domains.put("/<uuid:domain_id>/proof", may=EDIT_DOMAINS)
@claimed_domains.answers(200, CLAIMED_DOMAINS)
def prove_claimed_domain(domain_id: UUID) -> ClaimedDomain:
    """Look for the TXT record now; from then on the domain is ours."""
    claimed = find(ClaimedDomain, domain_id, lock=True)
    with a_strangers_turn():
        prove(claimed, claims_of_house())
    return claimed


@claimed_domains.delete("/<uuid:domain_id>", may=DELETE_DOMAINS)
@claimed_domains.response(204)
def delete_claimed_domain(domain_id: UUID) -> None:
    """Give up a domain; whoever can prove it may claim it then."""
    claimed = find(ClaimedDomain, domain_id, lock=True)
    remove(claimed)
    if claimed.verified_at:
        claims, domain, home = claims_of_house(), claimed.domain, here().home
        here().after_commit.append(lambda: claims.give_up(domain, home))
