"""What ends for good is noted in the ledger: by a job that is committed with the ending, however long storage is away."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from tenants.access.caller import SYSTEM
from tenants.access.policy import resource_of
from tenants.access.removal import when_gone
from tenants.audit.ledger import Ending, ledger
from tenants.foundation.tables import Base, Purpose
from tenants.isolation.door import here
from tenants.jobs.accepting import Order, accept
from tenants.jobs.registry import job

KIND = "ledger.note"
#: At a quarter of an hour each, a month.
ATTEMPTS = 3000
REPLAYED = "replayed from the ledger"


def note_endings() -> None:
    """Say once, at start-up, that records of people that are gone for good are noted."""
    when_gone(_note_gone)


def note_later(ending: Ending, resource: str, record_ids: Sequence[UUID]) -> None:
    """Have the ledger say so once the transaction at hand has committed, unless it is the ledger that said so."""
    if REPLAYED in here().notes or not record_ids:
        return
    arguments = {"ending": ending, "resource": resource, "record_ids": [str(each) for each in record_ids]}
    accept(Order(KIND, arguments, heavy=False, max_attempts=ATTEMPTS, actor_kind=SYSTEM.kind))


@job(KIND, purpose=Purpose.SECURITY, attempts=ATTEMPTS, always=True)
def note_ending(ending: str, resource: str, record_ids: list[UUID]) -> None:
    """An entry in the ledger."""
    ledger().note(Ending(ending), here().home.id, resource, record_ids)


def _note_gone(resource: str, record_ids: Sequence[UUID]) -> None:
    if resource in _of_people():
        note_later(Ending.RECORDS, resource, record_ids)


@cache
def _of_people() -> frozenset[str]:
    """The audited resources that hold something personal."""
    return frozenset(
        resource_of(each.class_)
        for each in Base.registry.mappers
        if each.class_.__audited__ and any(column.info["data"].personal for column in each.columns)
    )
