"""The one rule of who reaches which record: as a where-clause over a table, and on a record in memory."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Uuid, bindparam, or_
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.access.caller import Caller, Extent, shared_parameter
from tenants.access.permissions import Reach
from tenants.foundation.tables import Base, Owned

ME = bindparam("caller_user", type_=Uuid())
MY_TEAMS = bindparam("caller_teams", type_=ARRAY(Uuid()))
MY_SUBTEAMS = bindparam("caller_subteams", type_=ARRAY(Uuid()))


def narrowed(model: Any, extent: Extent | None) -> ColumnElement[bool] | None:
    """The where-clause of an extent over a table, an alias or a model; None when all of it is within reach.

    Its parameters are those of `standing_values`, so that one statement serves every caller of that extent. What has
    no owner is within everybody's reach who may read it at all.
    """
    columns = getattr(model, "c", model)
    if extent is None or extent.reach is Reach.ALL or not hasattr(columns, "owner_id"):
        return None
    ways: list[ColumnElement[bool]] = [columns.owner_id == ME]
    if extent.reach is Reach.TEAM:
        ways.append(columns.team_id == MY_TEAMS.any_())
    elif extent.reach is Reach.SUBTEAMS:
        ways.append(columns.team_id == MY_SUBTEAMS.any_())
    if extent.shared:
        ways.append(columns.id == bindparam(extent.shared, type_=ARRAY(Uuid())).any_())
    return or_(*ways)


def standing_values(caller: Caller) -> dict[str, Any]:
    """The parameters that `narrowed` speaks of."""
    shared = {shared_parameter(name): list(ids) for name, ids in caller.shares.items()}
    return {
        "caller_user": caller.user_id,
        "caller_teams": list(caller.teams),
        "caller_subteams": list(caller.subteams),
        **shared,
    }


class Decision(StrEnum):
    """Whether a caller reaches a record with a permission, and what decides it."""

    LACKING = "lacking"
    OUT_OF_REACH = "out_of_reach"
    ALL = "all"
    OWNERLESS = "ownerless"
    OWNER = "owner"
    TEAM = "team"
    SUBTEAM = "subteam"
    SHARED = "shared"

    @property
    def allowed(self) -> bool:
        return self not in (Decision.LACKING, Decision.OUT_OF_REACH)


def decide(caller: Caller, permission: str, record: Base) -> Decision:
    """Whether this caller reaches this record with this permission, and why: the rule of `narrowed`, in memory."""
    reach = caller.reach(permission)
    if reach is None:
        return Decision.LACKING
    if reach is Reach.ALL:
        return Decision.ALL
    if not isinstance(record, Owned):
        return Decision.OWNERLESS
    return next(_ways_to(caller, reach, permission, record), Decision.OUT_OF_REACH)


def _ways_to(caller: Caller, reach: Reach, permission: str, record: Any) -> Iterator[Decision]:
    if record.owner_id is not None and record.owner_id == caller.user_id:
        yield Decision.OWNER
    if reach is Reach.TEAM and record.team_id in caller.teams:
        yield Decision.TEAM
    if reach is Reach.SUBTEAMS and record.team_id in caller.subteams:
        yield Decision.SUBTEAM
    if record.id in caller.shares.get(permission, ()):
        yield Decision.SHARED
