"""Looking up again, every day, whether proven domains still are the tenant's."""

import structlog
from sqlalchemy import select

from tenants.foundation.errors import Unavailable
from tenants.foundation.tables import Purpose
from tenants.identity.single_sign_on.domains import is_assigned, is_published
from tenants.identity.single_sign_on.models import ClaimedDomain
from tenants.identity.single_sign_on.rechecking import note_record
from tenants.isolation.door import db
from tenants.jobs.progress import step
from tenants.jobs.registry import job

log = structlog.get_logger(__name__)


@job("claimed-domains.recheck", purpose=Purpose.SECURITY, every="23 4 * * *", steps=True)
def recheck_domains() -> None:
    """Ask DNS for the record of each claim, outside of any transaction. Where it doesn't answer, nothing is concluded."""
    with step():
        query = select(ClaimedDomain.id, ClaimedDomain.domain, ClaimedDomain.proof).where(~is_assigned())
        claims = db().execute(query).all()
    for domain_id, domain, proof in claims:
        try:
            there = is_published(domain, proof)
        except Unavailable:
            log.warning("domain_not_rechecked", domain_id=str(domain_id))
            continue
        with step():
            note_record(domain_id, there=there)
