"""The one place that tells a tenant's admins: by mail, in the application and by webhook, in one transaction."""

from collections.abc import Callable, Iterable
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from tenants.access.permissions import Permission
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db
from tenants.mail.posting import post
from tenants.notices.kinds import NoticeKind
from tenants.notices.models import Notice
from tenants.webhooks.announcing import announce
from tenants.webhooks.events import Occurrence

#: From a permission that those who are told have (None: they are admins), and who of them is left out, to addresses.
Addresses = Callable[[Permission | None, UUID | None], list[str]]
_addresses: list[Addresses] = []


def address_notices_with(addresses: Addresses) -> None:
    """Say once, at start-up, who knows the addresses of those who are told."""
    _addresses[:] = [addresses]


def tell(
    kind: NoticeKind,
    subject: str,
    text: str,
    *,
    key: str | None = None,
    but: UUID | None = None,
    also: Iterable[str] = (),
) -> Notice | None:
    """Tell the admins of the tenant at hand, unless the transaction comes to nothing; the notice.

    Of one key it is told once, however often it is tried: None says that it was told before. `but` gets no mail,
    `also` gets one besides.
    """
    notice = tell_unmailed(kind, subject, text, key=key)
    if notice is not None:
        addresses = {each.casefold(): each for each in (*also, *_addresses[0](kind.to, but))}
        notice.mails = [str(post(to=each, subject=subject, text=text)) for each in addresses.values()]
        db().flush()
    return notice


def tell_unmailed(kind: NoticeKind, subject: str, text: str, *, key: str | None = None) -> Notice | None:
    """Likewise, here and by webhook alone: no mail can be kept at this moment, and whoever tells it sends them."""
    row = {"id": new_id(), "kind": kind.name, "subject": subject, "text": text, "at": now(), "key": key}
    once = (
        insert(Notice)
        .values(row | {"mails": [], "readers": {}})
        .on_conflict_do_nothing(index_elements=["key"])
    )
    if db().scalar(once.returning(Notice.id)) is None:
        return None
    notice = db().get_one(Notice, row["id"])
    announce(Occurrence(kind.event, notice.id, notice.at, "notices"))
    db().flush()
    return notice
