"""What a user may, and why: worked out by the standing and the one rule that decide about their requests."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from tenants.access.caller import Caller
from tenants.access.ownership import effective
from tenants.access.permissions import Permission, Reach, registered
from tenants.access.policy import find, resource_of
from tenants.access.reaching import Decision, decide
from tenants.foundation.errors import Invalid
from tenants.foundation.tables import Base
from tenants.http.representation import resources_of
from tenants.identity.models import User
from tenants.identity.rights.queries import Source, shares_with, sources_of, teams_by_id
from tenants.identity.standings import standing_of

WORDS = {
    Reach.OWN: "their own records",
    Reach.TEAM: "their own records and those of their teams",
    Reach.SUBTEAMS: "their own records, those of their teams and of all teams below",
    Reach.ALL: "everything there is",
}
BECAUSE = {
    Decision.ALL: "it reaches everything there is",
    Decision.OWNERLESS: "nobody owns records of this kind: who has it reaches them all",
    Decision.OWNER: "the record is their own",
    Decision.TEAM: "the record belongs to one of their teams",
    Decision.SUBTEAM: "the record belongs to one of their teams, or to a team below one",
    Decision.SHARED: "the record was shared with them",
}


def rights_of(user: User) -> dict[str, Any]:
    """Everything that a user may at this moment, with the roles that give it."""
    caller = standing_of(user.id, "session", None)
    if caller is None:
        return {"user": user, "state": user.state, "permissions": [], "field_rules": {}}
    sources = sources_of(user.id, caller.teams)
    permissions = [
        {"name": name, "reach": effective(each, reach), "roles": list(_giving(sources, each))}
        for name, each in registered().items()
        if (reach := caller.reach(name)) is not None
    ]
    return {
        "user": user, "state": user.state, "permissions": permissions,
        "field_rules": {name: _rules(caller, name) for name in sorted({*caller.hidden, *caller.fixed})},
    }  # fmt: skip


def explained(user: User, name: str, record_id: UUID | None, resource: str | None) -> dict[str, Any]:
    """Why a user may do something to a record, or may not; without a record, whether they may at all.

    Raises Invalid for a permission nobody knows, NotFound for a record out of the reach of whoever asks.
    """
    permission = registered().get(name)
    if permission is None:
        raise Invalid(errors={"permission": [f"There is no permission '{name}'."]})
    record = None if record_id is None else find(_model(resource or permission.resource), record_id)
    caller = standing_of(user.id, "session", None)
    told = {"user": user, "permission": name, "record_id": record_id}
    if caller is None:
        sentence = f"{user.name} is {user.state} and may do nothing."
        return told | {
            "allowed": False,
            "sentence": sentence,
            "steps": [],
            "conditions": [],
            "field_rules": {},
        }
    sources = sources_of(user.id, caller.teams)
    governing = permission.resource if record is None else resource_of(type(record))
    reading = registered().get(f"{governing}:read")
    asked = [each for each in dict.fromkeys((reading, permission)) if each is not None]
    steps = [_step(caller, each, record, sources) for each in (asked if record is not None else [permission])]
    refused = next((each for each in steps if not each["allowed"]), None)
    return told | {
        "allowed": refused is None,
        "sentence": (refused or steps[-1])["sentence"],
        "steps": steps,
        "conditions": list(_conditions(permission)),
        "field_rules": _rules(caller, governing),
    }


def _step(
    caller: Caller, permission: Permission, record: Base | None, sources: Sequence[Source]
) -> dict[str, Any]:
    reach, name = caller.reach(permission.name), permission.name
    decision = _decision(caller, name, record)
    told = {
        "permission": name, "allowed": decision.allowed, "decision": decision,
        "reach": reach and effective(permission, reach), "roles": list(_giving(sources, permission)),
        "teams": [], "shares": [], "sentence": _sentence(caller, permission, decision, reach, record),
    }  # fmt: skip
    if record is None:
        return told
    owned: Any = record
    if decision in (Decision.TEAM, Decision.SUBTEAM):
        told["teams"] = list(_teams_between(caller, owned.team_id))
    if decision is Decision.SHARED:
        told["shares"] = shares_with(caller, resource_of(type(record)), owned.id)
    return told


def _decision(caller: Caller, name: str, record: Base | None) -> Decision:
    if record is not None:
        return decide(caller, name, record)
    return Decision.LACKING if caller.reach(name) is None else Decision.ALL


def _sentence(
    caller: Caller, permission: Permission, decision: Decision, reach: Reach | None, record: Base | None
) -> str:
    who, name = caller.name, permission.name
    if reach is None or decision is Decision.LACKING:
        return f"{who} may not: no role of theirs gives '{name}'."
    if record is None:
        return f"{who} may: '{name}' reaches {WORDS[effective(permission, reach)]}."
    if decision is Decision.OUT_OF_REACH:
        return f"{who} may not: '{name}' reaches {WORDS[reach]} for them, and this record is none of those."
    return f"{who} may by '{name}': {BECAUSE[decision]}."


def _giving(sources: Sequence[Source], permission: Permission) -> Iterator[dict[str, Any]]:
    for each in sources:
        reach = each.role.permissions.get(permission.name)
        if reach in list(Reach):
            yield {
                "id": each.role.id, "name": each.role.name, "team": each.team,
                "reach": effective(permission, Reach(reach)),
            }  # fmt: skip


def _teams_between(caller: Caller, team_id: UUID) -> Iterator[Any]:
    """From the team of theirs that reaches down, to the team of the record."""
    path = teams_by_id([team_id])[team_id].path
    wanted = [*(each for each in path if each in caller.teams), team_id]
    known = teams_by_id(wanted)
    yield from (known[each] for each in wanted)


def _rules(caller: Caller, resource: str) -> dict[str, str]:
    hidden = caller.hidden.get(resource, frozenset())
    closed = sorted(hidden | caller.fixed.get(resource, frozenset()))
    return {name: "none" if name in hidden else "read" for name in closed}


def _conditions(permission: Permission) -> Iterator[str]:
    if permission.people_only:
        yield "Only in person: no program may, whatever its user may."
    if permission.step_up:
        yield "They confirm who they are first."


def _model(resource: str) -> Any:
    """The model of a resource whose single records can be asked about: those that lists show whole, by reach alone."""
    governed = f"{resource}:read" in registered()
    if governed and all(each.shown is None and each.told is None for each in resources_of(resource)):
        for mapper in Base.registry.mappers:
            table = str(getattr(mapper.class_, "__tablename__", ""))
            if resource_of(mapper.class_) == resource == table.replace("_", "-"):
                return mapper.class_
    raise Invalid(errors={"resource": [f"Say of which resource the record is: '{resource}' has none."]})
