"""Access by staff, as a tenant's own people see and decide it."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from tenants.access.caller import acting
from tenants.foundation import clock
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.selection import Selection
from tenants.http.spreadsheets import harmless
from tenants.isolation.door import db, here
from tenants.support_access.deciding import approve_ask, invite, refuse_ask, revoke_all
from tenants.support_access.deciding import revoke as take_back
from tenants.support_access.grants import shown_to_tenant
from tenants.support_access.memberships import wake
from tenants.support_access.models import AccessEntry, AccessGrant, AccessVisit
from tenants.support_access.permissions import DECIDE_GRANTS, READ_GRANTS, READ_LOG, READ_VISITS
from tenants.support_access.receipts import shown
from tenants.support_access.rules import AccessRules, access_rules, change_rules
from tenants.support_access.schemas import (
    ACCESS_GRANTS,
    ACCESS_LOG,
    ACCESS_VISITS,
    AccessInvitationBody,
    AccessRulesBody,
    AccessRulesSchema,
    ApprovalBody,
    VisitReceiptSchema,
    WhyBody,
)
from tenants.support_access.staff.pointers import point_to_grant

access_grants = Blueprint("access-grants", __name__, url_prefix="/access-grants", purpose=Purpose.SECURITY)
access_visits = Blueprint("access-visits", __name__, url_prefix="/access-visits", purpose=Purpose.SECURITY)
access_log = Blueprint("access-log", __name__, url_prefix="/access-log", purpose=Purpose.SECURITY)


@access_grants.page("", ACCESS_GRANTS, may=READ_GRANTS)
def list_access_grants() -> Selection:
    """Who of our staff asked for access or was invited, and what became of it."""
    return Selection(ACCESS_GRANTS)


@access_grants.one("/<uuid:grant_id>", ACCESS_GRANTS, may=READ_GRANTS)
def get_access_grant(grant_id: UUID) -> Selection:
    """One grant with every step of it."""
    return Selection(ACCESS_GRANTS, {"id": grant_id}, single=True)


@access_grants.post("", may=DECIDE_GRANTS)
@access_grants.takes(AccessInvitationBody())
@access_grants.answers(201, ACCESS_GRANTS)
def create_access_grant(said: dict[str, Any]) -> AccessGrant:
    """Invite our staff, without being asked: it opens at once, for so many hours."""
    made = invite(said)
    point_to_grant(the_house().catalog, made.id, here().home, None)
    return made


@access_grants.put("/<uuid:grant_id>/approval", may=DECIDE_GRANTS)
@access_grants.takes(ApprovalBody())
@access_grants.answers(200, ACCESS_GRANTS)
def approve_access_grant(said: dict[str, Any], grant_id: UUID) -> AccessGrant:
    """Approve what staff asked for, or less of it."""
    return approve_ask(shown_to_tenant(grant_id), said)


@access_grants.put("/<uuid:grant_id>/refusal", may=DECIDE_GRANTS)
@access_grants.takes(WhyBody())
@access_grants.answers(200, ACCESS_GRANTS)
def refuse_access_grant(said: dict[str, Any], grant_id: UUID) -> AccessGrant:
    """Say no to what staff asked for."""
    return refuse_ask(shown_to_tenant(grant_id), said.get("why"))


@access_grants.put("/<uuid:grant_id>/revocation", may=DECIDE_GRANTS)
@access_grants.takes(WhyBody())
@access_grants.answers(200, ACCESS_GRANTS)
def revoke_access_grant(said: dict[str, Any], grant_id: UUID) -> AccessGrant:
    """Take leave back: the next request of every visit under it fails."""
    grant = take_back(shown_to_tenant(grant_id), said.get("why"))
    here().after_commit.append(wake(the_house().catalog))
    return grant


@access_grants.get("/rules", may=READ_GRANTS)
@access_grants.response(200, AccessRulesSchema)
def get_access_rules() -> AccessRules:
    """What this workspace decided about access by staff once and for all."""
    return access_rules()


@access_grants.patch("/rules", may=DECIDE_GRANTS)
@access_grants.takes(AccessRulesBody())
@access_grants.response(200, AccessRulesSchema)
def change_access_rules(said: dict[str, Any]) -> AccessRules:
    """Ask for two approvers, let named staff ask only, or forbid access altogether, which takes back all leave."""
    made = change_rules(said)
    if made.forbidden:
        revoke_all("The workspace forbids access by staff.")
        here().after_commit.append(wake(the_house().catalog))
    return made


@access_visits.page("", ACCESS_VISITS, may=READ_VISITS)
def list_access_visits() -> Selection:
    """When our staff came in, and under which grant."""
    return Selection(ACCESS_VISITS)


@access_visits.one("/<uuid:visit_id>", ACCESS_VISITS, may=READ_VISITS)
def get_access_visit(visit_id: UUID) -> Selection:
    """One visit; with its receipt once it ended."""
    return Selection(ACCESS_VISITS, {"id": visit_id}, single=True)


@access_visits.get("/<uuid:visit_id>/receipt", may=READ_LOG)
@access_visits.response(200, VisitReceiptSchema)
def get_visit_receipt(visit_id: UUID) -> dict[str, Any]:
    """A visit's signed receipt with the entries it is of, to be checked anywhere: `freehold access verify`."""
    visit = db().get(AccessVisit, visit_id)
    if visit is None or visit.visible_from > clock.now():
        raise NotFound
    if visit.receipt is None:
        raise Conflict("This visit is not over yet.", code="wrong_state")
    entries = select(AccessEntry).where(AccessEntry.visit_id == visit_id)
    return {
        "receipt": visit.receipt,
        "entries": list(db().scalars(entries.order_by(AccessEntry.at, AccessEntry.id))),
    }


@access_log.page("", ACCESS_LOG, may=READ_LOG)
def list_access_log() -> Selection:
    """Everything that our staff looked at, newest first, as it happens."""
    return Selection(ACCESS_LOG)


@access_log.one("/<uuid:entry_id>", ACCESS_LOG, may=READ_LOG)
def get_access_entry(entry_id: UUID) -> Selection:
    """One entry."""
    return Selection(ACCESS_LOG, {"id": entry_id}, single=True)


@access_log.get("/csv", may=READ_LOG)
@access_log.figures(ACCESS_LOG, [])
@access_log.response(200, content_type="text/csv")
def download_access_log() -> Response:
    """The log as CSV, oldest first, with the filters of the list."""
    narrowing = Selection(ACCESS_LOG).narrowing(acting().caller, MultiDict(request.args))
    query = select(AccessEntry).where(*narrowing.conditions).params(**narrowing.values)
    entries = db().scalars(query.order_by(AccessEntry.at, AccessEntry.id)).all()
    response = Response("".join(_lines(entries)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="access-log.csv"'
    return response


def _lines(entries: Any) -> Iterator[str]:
    names = list(ACCESS_LOG.schema.fields)
    for row in (dict(zip(names, names, strict=True)), *map(shown, entries)):
        line = io.StringIO()
        csv.writer(line).writerow([_cell(row[name]) for name in names])
        yield line.getvalue()


def _cell(value: Any) -> Any:
    """Lists by space. What a spreadsheet would take for a formula gets an apostrophe before it."""
    text = " ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
    return harmless(text)
