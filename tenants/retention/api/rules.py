"""Rules of retention over HTTP."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.retention.models import RetentionRule
from tenants.retention.permissions import EDIT_RULES, ENABLE_RULES, READ_RULES
from tenants.retention.ruling import delete_rule, disable_rule, enable_rule, preview, rewrite_rule, write_rule
from tenants.retention.schemas import RULES, PreviewSchema, RuleBody

retention_rules = Blueprint(
    "retention-rules", __name__, url_prefix="/retention-rules", purpose=Purpose.SECURITY
)


@retention_rules.page("", RULES, may=READ_RULES)
def list_retention_rules() -> Selection:
    """How long what is kept; `enabled=true` gives the rules that hold."""
    return Selection(RULES)


@retention_rules.one("/<uuid:rule_id>", RULES, may=READ_RULES)
def get_retention_rule(rule_id: UUID) -> Selection:
    """One rule."""
    return Selection(RULES, {"id": rule_id}, single=True)


@retention_rules.post("", may=EDIT_RULES)
@retention_rules.takes(RuleBody())
@retention_rules.answers(201, RULES)
def create_retention_rule(said: dict[str, Any]) -> RetentionRule:
    """Write a rule. It is off until somebody has previewed and enabled it."""
    return write_rule(said)


@retention_rules.patch("/<uuid:rule_id>", may=ENABLE_RULES)
@retention_rules.takes(RuleBody(partial=True))
@retention_rules.answers(200, RULES)
def change_retention_rule(said: dict[str, Any], rule_id: UUID) -> RetentionRule:
    """Change a rule (JSON merge patch, RFC 7396). That switches it off until somebody has looked at it again."""
    return rewrite_rule(find(RetentionRule, rule_id, lock=True), said)


@retention_rules.delete("/<uuid:rule_id>", may=EDIT_RULES)
@retention_rules.response(204)
def delete_retention_rule(rule_id: UUID) -> None:
    """Delete a rule that is off."""
    delete_rule(find(RetentionRule, rule_id, lock=True))


@retention_rules.post("/<uuid:rule_id>/preview", may=EDIT_RULES)
@retention_rules.response(200, PreviewSchema)
def preview_retention_rule(rule_id: UUID) -> dict[str, Any]:
    """What the rule would do if it ran now, as a number, some ids and a sentence. It removes nothing."""
    rule = find(RetentionRule, rule_id, lock=True)
    return {"id": rule.id, **vars(preview(rule))}


@retention_rules.put("/<uuid:rule_id>/enablement", may=ENABLE_RULES)
@retention_rules.answers(200, RULES)
def enable_retention_rule(rule_id: UUID) -> RetentionRule:
    """Switch on a rule that was previewed as it is."""
    return enable_rule(find(RetentionRule, rule_id, lock=True))


@retention_rules.delete("/<uuid:rule_id>/enablement", may=ENABLE_RULES)
@retention_rules.answers(200, RULES)
def disable_retention_rule(rule_id: UUID) -> RetentionRule:
    """Switch a rule off."""
    return disable_rule(find(RetentionRule, rule_id, lock=True))
