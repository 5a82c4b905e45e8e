"""What becomes of a proven domain whose DNS record is gone: its tenant is told, and has a week to bring it back."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.identity.single_sign_on.domains import RECORD_START, claims_of_house, record_name
from tenants.identity.single_sign_on.models import ClaimedDomain
from tenants.identity.single_sign_on.permissions import EDIT_DOMAINS
from tenants.isolation.door import db, here
from tenants.notices.kinds import NoticeKind, notice_kind
from tenants.notices.telling import tell

NOT_FOUND = notice_kind(
    "claimed-domains.missing", "The DNS record of a claimed domain is gone", to=EDIT_DOMAINS
)
NO_LONGER = notice_kind("claimed-domains.lost", "A claimed domain is lost", to=EDIT_DOMAINS)
#: Records vanish for a day when somebody moves their DNS; a domain that was sold stays without.
GRACE = timedelta(days=7)


def note_record(domain_id: UUID, *, there: bool) -> None:
    """Note whether the record of a claim was found just now; one that was never proven is left as it is."""
    locked = select(ClaimedDomain).where(ClaimedDomain.id == domain_id).with_for_update()
    claimed = db().scalars(locked).one_or_none()
    if claimed is None:
        return
    if claimed.verified_at is None:
        # What an earlier attempt lost, and was killed before it said so in the catalog.
        claims_of_house().give_up(claimed.domain, here().home)
    elif there:
        claimed.missing_since = None
    elif claimed.missing_since is None:
        claimed.missing_since = now()
        _tell(NOT_FOUND, claimed, f"The DNS record of {claimed.domain} is gone", MISSING)
    elif claimed.missing_since <= now() - GRACE:
        lose(claimed)
    db().flush()


def lose(claimed: ClaimedDomain) -> None:
    """The domain is the tenant's no more; whoever can prove it may claim it. Who was linked before still signs in."""
    claims, domain, home = claims_of_house(), claimed.domain, here().home
    claimed.verified_at, claimed.missing_since = None, None
    record_event("claimed-domains.lost", "claimed-domains", claimed.id, {"domain": [claimed.domain, None]})
    _tell(NO_LONGER, claimed, f"{claimed.domain} is no longer yours here", LOST)
    here().after_commit.append(lambda: claims.give_up(domain, home))


def _tell(kind: NoticeKind, claimed: ClaimedDomain, subject: str, text: str) -> None:
    said = text.format(
        domain=claimed.domain, name=record_name(claimed.domain), record=RECORD_START + claimed.proof,
        day=f"{now() + GRACE:%d %B %Y}",
    )  # fmt: skip
    tell(kind, subject, said)


MISSING = """\
The TXT record that shows that {domain} is yours is not in DNS any more. Publish it again before {day}:

{name}    {record}

Otherwise nobody new from that domain can sign in with your provider from then on. Who did before goes on.
"""
LOST = """\
The TXT record that showed that {domain} was yours was not in DNS for a week. Nobody new from that domain can sign in with
your provider now; who did before goes on. Publish the record and prove the domain again to have it back:

{name}    {record}
"""
