"""What a tenant asks of every export."""

from typing import Any

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.portability.approving import change_rules, rules_now
from tenants.portability.permissions import EDIT_EXPORT_RULES, READ_EXPORTS
from tenants.portability.schemas import ExportRulesBody, ExportRulesSchema

export_rules = Blueprint("export-rules", __name__, url_prefix="/export-rules", purpose=Purpose.PORTABILITY)


@export_rules.get("", may=READ_EXPORTS)
@export_rules.response(200, ExportRulesSchema)
def get_export_rules() -> dict[str, Any]:
    """Whether exports need a second person's word."""
    return rules_now()


@export_rules.put("", may=EDIT_EXPORT_RULES)
@export_rules.takes(ExportRulesBody())
@export_rules.response(200, ExportRulesSchema)
def change_export_rules(said: dict[str, Any]) -> dict[str, Any]:
    """Ask for a second person's word on each export, or no longer. The other admins get a mail."""
    change_rules(wanted=said["second_approver"])
    return rules_now()
