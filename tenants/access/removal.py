"""Asks, before a record is deleted or a person's values are erased, whether anything objects."""

from collections.abc import Callable, Sequence
from uuid import UUID

#: Asked with a resource (None where nobody knows it any more) and ids of its records; raises a Refusal.
Objection = Callable[[str | None, Sequence[UUID]], None]
#: Told a resource and ids of records that went and will not come back, in the transaction in which they go.
Farewell = Callable[[str, Sequence[UUID]], None]
_objections: list[Objection] = []
_farewells: list[Farewell] = []


def object_to_removal(objection: Objection) -> None:
    """Say once, at start-up, who is asked before records go."""
    if objection not in _objections:
        _objections.append(objection)


def must_be_removable(resource: str | None, record_ids: Sequence[UUID]) -> None:
    """Raises the Refusal of whoever objects; Conflict when a legal hold or a retention rule keeps one of the records.

    Whatever is deleted through the session of a tenant is asked for by itself. Who deletes parts of a record (its
    files, say) or by a statement of their own asks here first.
    """
    for objection in _objections if record_ids else ():
        objection(resource, record_ids)


def when_gone(farewell: Farewell) -> None:
    """Say once, at start-up, who deletes what belongs to a record when that is gone for good.

    What is in the bin is not gone: it may come back, and finds there what belongs to it.
    """
    if farewell not in _farewells:
        _farewells.append(farewell)


def gone(resource: str, record_ids: Sequence[UUID]) -> None:
    """Tell everybody that these records are gone for good."""
    for farewell in _farewells:
        farewell(resource, record_ids)
