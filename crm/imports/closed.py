"""Field rules on imports: what is closed to whoever brings a file in can't be set by it, nor found out with it."""

from collections.abc import Iterable, Iterator

from crm.imports.importable import Importable, Lookup, Target
from crm.imports.plan import Plan
from tenants.access.caller import Caller
from tenants.access.policy import resource_of
from tenants.foundation.errors import NotAllowed
from tenants.http.closed import columns_of, fields_closed, fields_fixed
from tenants.http.custom_filters import is_closed


def closed_targets(importable: Importable, caller: Caller) -> frozenset[str]:
    """The fields that no column of a file can go to for this caller."""
    if not (caller.hidden or caller.masked or caller.fixed):
        return frozenset()
    shut = columns_of(importable.resource, fields_fixed(caller, importable.resource))
    return frozenset(
        name
        for name, each in importable.targets.items()
        if is_closed(each.column, shut) or _finds_out(each, caller)
    )


def must_be_open(plan: Plan, caller: Caller) -> None:
    """Raises NotAllowed that names the fields of a plan which are closed to the caller."""
    shut = closed_targets(plan.importable, caller)
    if named := sorted({each.target.name for each in plan.columns if each.target.name in shut}):
        errors = {"mapping": [f"Your roles don't let you set '{name}'." for name in named]}
        raise NotAllowed(f"You may not import {', '.join(named)}.", code="closed_field", errors=errors)


def hidden_columns(plan: Plan, caller: Caller) -> Iterator[tuple[int, str]]:
    """Place and name of the columns of a file whose field this caller can't see."""
    shut = columns_of(plan.importable.resource, fields_closed(caller, plan.importable.resource))
    for each in plan.columns:
        if is_closed(each.target.column, shut):
            yield each.index, each.column


def told_apart(reasons: Iterable[str], hidden: Iterable[str]) -> Iterator[str]:
    """The reasons of a rejected row without what they quote of hidden columns."""
    for reason in reasons:
        named = next((name for name in hidden if reason.startswith(f"{name}: ")), None)
        yield reason if named is None else f"{named}: Not taken."


def _finds_out(target: Target, caller: Caller) -> bool:
    """Whether a record is looked up by something that the caller can't see."""
    return target.lookup is not None and _compares_closed(target.lookup, caller)


def _compares_closed(lookup: Lookup, caller: Caller) -> bool:
    compared = [(lookup.model, lookup.by), *([lookup.through] if lookup.through else [])]
    named = [(resource_of(model), column) for model, column in compared]
    return any(column in columns_of(name, fields_closed(caller, name)) for name, column in named)
