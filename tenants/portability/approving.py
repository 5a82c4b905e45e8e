"""A second person's word on every export, for tenants that ask for it."""

from typing import Any

from sqlalchemy import select

from tenants.access.caller import acting
from tenants.audit.recording import record_event
from tenants.foundation.errors import Conflict
from tenants.identity.models import TenantProfile
from tenants.identity.people.addressees import admin_addresses
from tenants.isolation.door import db
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.portability.exporting import must_see_everything
from tenants.portability.models import Approval, Export

WAITING = notice_kind("exports.waiting", "An export waits for another admin's approval")
RULES_CHANGED = notice_kind("export-rules.changed", "The rules for exports were changed")
ASKED = """{name} asks for an export of your workspace{what}.

Purpose: {purpose}. It goes to: {recipient}. Note: {note}.

Nothing is made before another admin approves it: PUT /api/v1/exports/{id}/approval, until {until:%Y-%m-%d %H:%M} UTC.
"""
CHANGED = """From now on exports of your workspace {word} a second admin's approval. {name} changed that.

If that surprises you, look at the audit log.
"""


def second_approver() -> bool:
    """Whether the tenant at hand asks for a second person's word."""
    return db().scalars(select(TenantProfile.export_approval)).one()


def rules_now() -> dict[str, Any]:
    return {"second_approver": second_approver()}


def change_rules(*, wanted: bool) -> None:
    """Ask for a second person's word on exports, or no longer. The other admins get a mail.

    Raises Conflict when there is no other admin, so that no export could ever be approved.
    """
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    if profile.export_approval is wanted:
        return
    profile.export_approval = wanted
    db().flush()
    record_event(
        "export-rules.changed", "export-rules", profile.id, {"second_approver": [not wanted, wanted]}
    )
    caller = acting().caller
    text = CHANGED.format(word="need" if wanted else "no longer need", name=caller.name)
    if wanted and not admin_addresses(but=caller.user_id):
        raise Conflict("There is no other admin who could approve an export.", code="nobody_to_approve")
    tell(RULES_CHANGED, "The rules for exports were changed", text, but=caller.user_id)


def ask_for_approval(export: Export) -> None:
    """Have an export wait for another admin's word; they get a mail."""
    export.wait_for_approval()
    caller = acting().caller
    text = ASKED.format(
        name=caller.name, what=" (chosen records)" if export.resources else "", purpose=export.purpose,
        recipient=export.recipient or "your workspace itself", note=export.note or "none", id=export.id,
        until=export.approve_by,
    )  # fmt: skip
    tell(WAITING, "An export waits for your approval", text, but=caller.user_id)


def decide(export: Export, *, approved: bool, note: str | None) -> bool:
    """The caller's word on an export; whether it is to be made now.

    Raises NotAllowed for who asked for it or does not see everything, Conflict when it does not wait (any more).
    """
    caller = acting().caller
    must_see_everything(caller)
    export.decide(caller.user_id, approved=approved, note=note)
    db().flush()
    return export.approval == Approval.APPROVED
