"""A rule speaks of all records of a kind, so nobody has one do what they could not do themselves."""

from tenants.access.caller import acting
from tenants.access.permissions import Reach, registered
from tenants.foundation.errors import NotAllowed
from tenants.retention.binning import BIN
from tenants.retention.keeping import kinds
from tenants.retention.models import Action, RetentionRule


def must_see_all(resource: str) -> None:
    """Numbers and ids that a rule comes to are of all records. Raises NotAllowed for whoever doesn't see all of them."""
    _must_reach_all(resource, "read")


def must_be_theirs(rule: RetentionRule) -> None:
    """Raises NotAllowed for whoever could not delete by themselves all that a rule deletes."""
    must_see_all(rule.resource)
    if rule.action == Action.DELETE:
        _must_reach_all(rule.resource, "delete")


def _must_reach_all(resource: str, action: str) -> None:
    of_these = kinds() if resource == BIN else (resource,)
    rights = [f"{each}:{action}" for each in of_these]
    caller = acting().caller
    short = [each for each in rights if each in registered() and caller.reach(each) is not Reach.ALL]
    if short:
        raise NotAllowed(
            f"A rule speaks of all records of its kind: {', '.join(sorted(short))} would have to reach all.",
            code="not_everything",
        )
