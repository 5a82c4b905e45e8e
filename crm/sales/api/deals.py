"""Deals over HTTP: opened, moved from stage to stage, closed and reopened."""

from typing import Any
from uuid import UUID

from crm.sales.closing import close_deal, move_deal, reopen_deal
from crm.sales.models import Deal
from crm.sales.opening import open_deal, stage_at
from crm.sales.permissions import CLOSE_DEALS, CREATE_DEALS, DELETE_DEALS, EDIT_DEALS, READ_DEALS
from crm.sales.schemas import (
    DEALS,
    OUTCOME_CHANGES,
    STAGE_CHANGES,
    DealBody,
    NewDealBody,
    OutcomeBody,
    PlaceBody,
)
from tenants.access.policy import change, find, remove
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection

deals = Blueprint("deals", __name__, url_prefix="/deals", purpose=Purpose.SALES)


@deals.page("", DEALS, may=READ_DEALS)
def list_deals() -> Selection:
    """Deals within reach. `outcome[is_null]=true` gives the open ones."""
    return Selection(DEALS)


@deals.one("/<uuid:deal_id>", DEALS, may=READ_DEALS)
def get_deal(deal_id: UUID) -> Selection:
    """One deal."""
    return Selection(DEALS, {"id": deal_id}, single=True)


@deals.post("", may=CREATE_DEALS)
@deals.takes(NewDealBody())
@deals.answers(201, DEALS)
def create_deal(fields: dict[str, Any]) -> Deal:
    """Add a deal. Without a name it is called by its reference."""
    return open_deal(fields)


@deals.patch("/<uuid:deal_id>", may=EDIT_DEALS)
@deals.takes(DealBody(partial=True))
@deals.answers(200, DEALS)
def change_deal(fields: dict[str, Any], deal_id: UUID) -> Deal:
    """Change a deal (JSON merge patch, RFC 7396). The amount of a closed deal stays as it is."""
    deal = find(Deal, deal_id, lock=True)
    deal.check(fields)
    return change(deal, fields)


@deals.delete("/<uuid:deal_id>", may=DELETE_DEALS)
@deals.response(204)
def delete_deal(deal_id: UUID) -> None:
    """Delete a deal with its history."""
    remove(find(Deal, deal_id))


@deals.put("/<uuid:deal_id>/stage", may=EDIT_DEALS)
@deals.takes(PlaceBody())
@deals.answers(200, DEALS)
def put_deal_on_stage(fields: dict[str, Any], deal_id: UUID) -> Deal:
    """Move an open deal to a stage, of its own pipeline or of another."""
    return move_deal(find(Deal, deal_id, lock=True), stage_at(fields["stage_id"]))


@deals.put("/<uuid:deal_id>/outcome", may=CLOSE_DEALS)
@deals.takes(OutcomeBody())
@deals.answers(200, DEALS)
def put_outcome(fields: dict[str, Any], deal_id: UUID) -> Deal:
    """Close a deal as won or lost."""
    return close_deal(find(Deal, deal_id, lock=True), **fields)


@deals.delete("/<uuid:deal_id>/outcome", may=CLOSE_DEALS)
@deals.answers(200, DEALS)
def delete_outcome(deal_id: UUID) -> Deal:
    """Reopen a closed deal."""
    return reopen_deal(find(Deal, deal_id, lock=True))


@deals.get("/<uuid:deal_id>/stage-changes", may=READ_DEALS)
@deals.lists(STAGE_CHANGES)
def list_stage_changes(deal_id: UUID) -> Selection:
    """Which stages a deal has been on, since when and by whom."""
    return Selection(STAGE_CHANGES, {"deal_id": find(Deal, deal_id).id})


@deals.get("/<uuid:deal_id>/outcome-changes", may=READ_DEALS)
@deals.lists(OUTCOME_CHANGES)
def list_outcome_changes(deal_id: UUID) -> Selection:
    """When a deal was closed and reopened, by whom and why."""
    return Selection(OUTCOME_CHANGES, {"deal_id": find(Deal, deal_id).id})
