"""How the people of a tenant have to sign in."""

from typing import Any
from uuid import UUID

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.identity.signing_in.permissions import EDIT_RULES, READ_RULES, RESET_FACTORS
from tenants.identity.signing_in.rules import change_rules, reset_factors, rules_now
from tenants.identity.signing_in.schemas import RulesBody, RulesSchema

sign_in_rules = Blueprint("sign-in-rules", __name__, url_prefix="/sign-in-rules", purpose=Purpose.SECURITY)
users_factors = Blueprint("users-factors", __name__, url_prefix="/users", purpose=Purpose.SECURITY)


@sign_in_rules.get("", may=READ_RULES)
@sign_in_rules.response(200, RulesSchema)
def get_sign_in_rules() -> dict[str, Any]:
    """Whether everybody needs a second factor, who has none, and how old keys may be."""
    return rules_now()


@sign_in_rules.put("", may=EDIT_RULES)
@sign_in_rules.takes(RulesBody())
@sign_in_rules.response(200, RulesSchema)
def change_sign_in_rules(said: dict[str, Any]) -> dict[str, Any]:
    """Ask everybody for a second factor, or no longer; and say how old keys may be, which stays as it was if unsaid."""
    change_rules(said)
    return rules_now()


@users_factors.delete("/<uuid:user_id>/authenticators", may=RESET_FACTORS)
@users_factors.response(204)
def reset_second_factors(user_id: UUID) -> None:
    """Take away a user's second factors, for somebody who lost them. Their sessions end, and they get a mail."""
    reset_factors(user_id)
