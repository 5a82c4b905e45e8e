"""Single records, shared with users and teams."""

from typing import Any
from uuid import UUID

from tenants.access.permissions import SHARE
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.models import RecordShare
from tenants.identity.sharing.giving import change_share, give_share, take_share_back
from tenants.identity.sharing.permissions import READ_SHARES
from tenants.identity.sharing.schemas import SHARES, ShareBody, ShareTermsBody

record_shares = Blueprint("record-shares", __name__, url_prefix="/record-shares", purpose=Purpose.SECURITY)


@record_shares.page("", SHARES, may=READ_SHARES)
def list_record_shares() -> Selection:
    """With whom the records within reach are shared: `?resource=deals&record_id=…` for one of them."""
    return Selection(SHARES)


@record_shares.one("/<uuid:share_id>", SHARES, may=READ_SHARES)
def get_record_share(share_id: UUID) -> Selection:
    """One share of a record within reach."""
    return Selection(SHARES, {"id": share_id}, single=True)


@record_shares.post("", may=SHARE)
@record_shares.takes(ShareBody())
@record_shares.answers(201, SHARES)
def create_record_share(said: dict[str, Any]) -> RecordShare:
    """Share a record with a user or a team, to read it or to edit it, for good or until a day."""
    return give_share(said)


@record_shares.patch("/<uuid:share_id>", may=SHARE)
@record_shares.takes(ShareTermsBody(partial=True))
@record_shares.answers(200, SHARES)
def change_record_share(terms: dict[str, Any], share_id: UUID) -> RecordShare:
    """Change how far a share goes, or until when."""
    return change_share(share_id, terms)


@record_shares.delete("/<uuid:share_id>", may=SHARE)
@record_shares.response(204)
def end_record_share(share_id: UUID) -> None:
    """End a share; it gives nothing from the next request on."""
    take_share_back(share_id)
