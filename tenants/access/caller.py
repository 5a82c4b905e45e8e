"""Who is asking, what they may do, and in which request or job they do it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from tenants.access.permissions import Permission, Reach
from tenants.catalog.models import State
from tenants.catalog.states import PERMITS, Work
from tenants.foundation.clock import now
from tenants.foundation.errors import NotAllowed
from tenants.foundation.tables import Source
from tenants.isolation.door import here

CONFIRMATION_LASTS = timedelta(minutes=10)
LIMITS = {
    "mfa_required": "Your workspace asks for a second factor. Set one up under /api/v1/authenticators, then go on."
}


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a permission goes for one caller: its reach, and whether single records were shared with them besides.

    `shared` names the parameter that carries the ids of those records. Callers of one extent share one statement.
    """

    reach: Reach
    shared: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, known by a session, a key or a token; or the system itself, when `user_id` is None.

    `rights` maps the name of a permission to its reach, `shares` to the ids of records that were shared for it.
    `hidden`, `masked` and `fixed` map a resource to the fields this caller gets not at all, covered up, or can't
    change. `subteams` are one's teams and all below them. `limited` is the code of what the caller has to do before
    anything but their own affairs. `state` is the tenant's, by its own word. `fields_version` is which definitions of
    the tenant's own fields are in force: None for none at all, an empty text where the standing doesn't say.
    """

    kind: str
    name: str
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    credential_id: UUID | None = None
    team_id: UUID | None = None
    teams: tuple[UUID, ...] = ()
    subteams: tuple[UUID, ...] = ()
    rights: Mapping[str, Reach] = field(default_factory=dict)
    shares: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    masked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fixed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    confirmed_at: datetime | None = None
    limited: str | None = None
    state: State = State.ACTIVE
    everything: bool = False
    fields_version: str | None = ""

    def reach(self, permission: str) -> Reach | None:
        """How far a permission goes for this caller; None when they lack it."""
        return Reach.ALL if self.everything else self.rights.get(permission)

    def extent(self, permission: str) -> Extent | None:
        """Reach and shares of a permission, None when they lack it: a share never gives what no role gives."""
        reach = self.reach(permission)
        if reach is None:
            return None
        shared = reach is not Reach.ALL and permission in self.shares
        return Extent(reach, shared_parameter(permission) if shared else None)

    def may(self, permission: Permission) -> bool:
        """Whether their roles give it at all."""
        return permission.own_affair or permission.public or self.reach(permission.name) is not None

    def refusal(self, permission: Permission) -> NotAllowed | None:
        """Why this caller may not do this now; None when they may."""
        if self.limited and not permission.own_affair:
            return NotAllowed(LIMITS[self.limited], code=self.limited)
        if not self.may(permission):
            return NotAllowed(f"This needs the permission '{permission.name}', which your roles don't give.")
        if permission.people_only and self.kind != "session" and not self.everything:
            return NotAllowed(
                "People who signed in do this themselves, programs can't.", code="needs_session"
            )
        if permission.step_up and self.kind == "session" and not self._just_confirmed():
            return NotAllowed(
                "Confirm who you are first: POST /api/v1/sessions/current/confirmation.", code="step_up"
            )
        return None

    def may_change(self, permission: Permission) -> bool:
        """Whether the state of their tenant lets anything be changed under this permission."""
        permits = PERMITS[self.state]
        excepted = permits.work is not Work.NONE and (permission.always or permission.own_affair)
        return permits.writes or excepted

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed: for a lacking permission, a program, or somebody who has to do something else first."""
        if refusal := self.refusal(permission):
            raise refusal

    def _just_confirmed(self) -> bool:
        return self.confirmed_at is not None and now() - self.confirmed_at < CONFIRMATION_LASTS

    @property
    def source(self) -> Source:
        return {"session": Source.ENTERED, "api_key": Source.API, "oauth": Source.API}.get(
            self.kind, Source.SYSTEM
        )


def shared_parameter(permission: str) -> str:
    """The parameter that carries the ids of records shared for a permission."""
    return "shared_" + permission.replace(":", "_").replace("-", "_")


SYSTEM = Caller(kind="system", name="Freehold", everything=True)


@dataclass(slots=True)
class Acting:
    """A caller at work: under which permission, in which request or job, from which address."""

    caller: Caller
    permission: Permission | None = None
    request_id: str = ""
    address: str | None = None
    source: Source | None = None
    subject_id: UUID | None = None
    expected_version: int | None = None

    @property
    def record_source(self) -> Source:
        return self.source or self.caller.source


def acting() -> Acting:
    """Who is at work in the transaction at hand; a RuntimeError when nobody was named."""
    found = here().caller
    if found is None:
        message = "Nobody acts in this transaction: set here().caller first."
        raise RuntimeError(message)
    return cast("Acting", found)


def act_as(caller: Caller, **circumstances: Any) -> Acting:
    """Name whoever acts in the transaction at hand, for jobs and commands."""
    made = Acting(caller, **circumstances)
    here().caller = made
    return made
