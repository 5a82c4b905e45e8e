"""Who is asking, what they may do, and in which request or job they do it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from tenants.access.permissions import SIGNED_IN, Permission, Reach
from tenants.foundation.errors import NotAllowed
from tenants.foundation.tables import Source
from tenants.isolation.door import here


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, known by a session or an API key; or the system itself, when `user_id` is None.

    `rights` maps the name of a permission to its reach. `hidden` and `masked` map a resource to the fields this
    caller gets not at all, or covered up.
    """

    kind: str
    name: str
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    credential_id: UUID | None = None
    team_id: UUID | None = None
    teams: tuple[UUID, ...] = ()
    rights: Mapping[str, Reach] = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    masked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everything: bool = False

    def reach(self, permission: str) -> Reach | None:
        """How far a permission goes for this caller; None when they lack it."""
        return Reach.ALL if self.everything else self.rights.get(permission)

    def may(self, permission: Permission) -> bool:
        return permission is SIGNED_IN or permission.public or self.reach(permission.name) is not None

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed, naming the permission that is lacking."""
        if not self.may(permission):
            raise NotAllowed(f"This needs the permission '{permission.name}', which your roles don't give.")

    @property
    def source(self) -> Source:
        return {"session": Source.ENTERED, "api_key": Source.API}.get(self.kind, Source.SYSTEM)


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
