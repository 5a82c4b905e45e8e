"""How far a grant goes, and that a narrower one goes no further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenants.access.caller import Caller
from tenants.access.permissions import Reach
from tenants.foundation.errors import Invalid
from tenants.http.representation import Resource
from tenants.support_access.models import Access, AccessGrant
from tenants.support_access.visitable import (
    PLAIN,
    check_scope,
    personal_fields,
    related_fields,
    sealed_fields,
    shown_fields,
)

LONGEST_HOURS = 4
PARTS = ("resources", "record_ids", "only_fields", "access", "masked", "hours")


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may look at: resources, perhaps only some records and fields, read or write, masked or clear."""

    resources: Sequence[str]
    record_ids: Sequence[UUID] | None
    only_fields: Mapping[str, Sequence[str]] | None
    access: str
    masked: bool
    hours: int

    @classmethod
    def of(cls, grant: AccessGrant) -> "Scope":
        return cls(**{name: getattr(grant, name) for name in PARTS})

    def closed(self, resource: Resource) -> frozenset[str]:
        """The fields that this scope does not show at all."""
        chosen = (self.only_fields or {}).get(resource.name)
        left_out = frozenset() if chosen is None else shown_fields(resource) - PLAIN - set(chosen)
        return left_out | related_fields(resource)

    def covered(self, resource: Resource) -> frozenset[str]:
        """The fields that show a mask; what is sealed always does."""
        return sealed_fields(resource) | (personal_fields(resource) if self.masked else frozenset())

    def visitor(self, tenant_id: UUID, staff_id: UUID, name: str, resource: Resource) -> Caller:
        """The caller that somebody with this scope is, for the house's rules."""
        rights = {f"{resource.name}:read": Reach.ALL}
        if self.access == Access.WRITE:
            rights[f"{resource.name}:edit"] = Reach.ALL
        return Caller(
            kind="staff",
            name=name,
            tenant_id=tenant_id,
            user_id=staff_id,
            rights=rights,
            hidden={resource.name: self.closed(resource)},
            masked={resource.name: self.covered(resource)},
        )


def narrowed(asked: Scope, said: Mapping[str, Any]) -> Scope:
    """What is left of a scope when a tenant narrows it. Raises Invalid where it would go further than was asked."""
    made = Scope(**{name: said.get(name, getattr(asked, name)) for name in PARTS})
    wider = [name for name in PARTS if _goes_further(name, getattr(asked, name), getattr(made, name))]
    wider += ["only_fields"] if not _fields_within(asked, made) else []
    if wider:
        raise Invalid(errors={name: ["Less than was asked, not more."] for name in wider})
    check_scope(made.resources, made.only_fields)
    return made


def _goes_further(name: str, asked: Any, made: Any) -> bool:
    match name:
        case "resources":
            return not made or not set(made) <= set(asked)
        case "record_ids":
            return asked is not None and (made is None or not set(made) <= set(asked))
        case "access":
            return bool(asked == Access.READ and made != Access.READ)
        case "masked":
            return bool(asked and not made)
        case "hours":
            return bool(made > asked)
    return False


def _fields_within(asked: Scope, made: Scope) -> bool:
    if asked.only_fields is None:
        return True
    return all(
        made.only_fields is not None
        and set(made.only_fields.get(name, ())) <= set(each)
        and name in made.only_fields
        for name, each in asked.only_fields.items()
        if name in made.resources
    )
