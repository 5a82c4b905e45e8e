"""Which kinds of records are kept under holds, rules and the bin: declared once by whoever knows them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenants.access.policy import resource_of
from tenants.foundation.tables import Base
from tenants.retention.models import Trigger


@dataclass(frozen=True)
class Kept:
    """One kind of record: what people know it by, and the days from which periods of retention rules count.

    `ends` names columns for the triggers beyond `created` and `inactive`: the first that is not empty counts.
    `while_empty` names a column without which the record may be deleted at all. `no_rules` says why no rule may delete
    or keep it.
    """

    model: Any
    known_by: tuple[str, ...]
    ends: Mapping[Trigger, tuple[str, ...]] = field(default_factory=dict)
    while_empty: str | None = None
    no_rules: str = ""

    @property
    def name(self) -> str:
        return resource_of(self.model)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        return (Trigger.CREATED, Trigger.INACTIVE, *self.ends)


_kept: dict[str, Kept] = {}


def keep(*kinds: Kept) -> None:
    """Say once, at start-up, what goes to the bin and can be held and ruled."""
    _kept.clear()
    _kept.update({each.name: each for each in kinds})


def kinds() -> Mapping[str, Kept]:
    """Every declared kind by its resource."""
    return _kept


def kind_of(model: type[Base]) -> Kept | None:
    """What was declared of a model; None for one that nobody declared."""
    found = _kept.get(resource_of(model))
    return found if found is not None and found.model is model else None


def ruled() -> dict[str, Kept]:
    """The kinds that retention rules may speak of."""
    return {name: each for name, each in _kept.items() if not each.no_rules}


def binned_models() -> dict[str, Any]:
    """The model behind each resource whose records go to the bin."""
    return {name: each.model for name, each in _kept.items()}


def unruled() -> Iterator[str]:
    """A sentence for every audited table that no rule can speak of and that does not say why."""
    for mapper in Base.registry.mappers:
        model: Any = mapper.class_
        if model.__audited__ and kind_of(model) is None and not model.__unruled__:
            yield f"{model.__name__} is kept without end, and does not say why (__unruled__)."
