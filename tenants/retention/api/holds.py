"""Legal holds over HTTP."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.retention.holds import place_hold, release_hold
from tenants.retention.models import LegalHold
from tenants.retention.permissions import PLACE_HOLDS, READ_HOLDS, RELEASE_HOLDS
from tenants.retention.schemas import HOLDS, HoldBody, ReleaseBody

legal_holds = Blueprint("legal-holds", __name__, url_prefix="/legal-holds", purpose=Purpose.SECURITY)


@legal_holds.page("", HOLDS, may=READ_HOLDS)
def list_legal_holds() -> Selection:
    """Holds that are and were; `in_force=true` gives those that are."""
    return Selection(HOLDS)


@legal_holds.one("/<uuid:hold_id>", HOLDS, may=READ_HOLDS)
def get_legal_hold(hold_id: UUID) -> Selection:
    """One hold."""
    return Selection(HOLDS, {"id": hold_id}, single=True)


@legal_holds.post("", may=PLACE_HOLDS)
@legal_holds.takes(HoldBody())
@legal_holds.answers(201, HOLDS)
def place_legal_hold(said: dict[str, Any]) -> LegalHold:
    """Keep records, or everything, from being deleted or erased, whoever asks and whatever rules say."""
    return place_hold(said)


@legal_holds.put("/<uuid:hold_id>/release", may=RELEASE_HOLDS)
@legal_holds.takes(ReleaseBody())
@legal_holds.answers(200, HOLDS)
def release_legal_hold(said: dict[str, Any], hold_id: UUID) -> LegalHold:
    """End a hold, saying why; not one that whoever runs the program placed. What other holds keep stays kept."""
    return release_hold(find(LegalHold, hold_id, lock=True), said["reason"])
