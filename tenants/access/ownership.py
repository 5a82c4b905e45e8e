"""Which resources have owned records, and how far a permission over each can reach."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tenants.access.permissions import ASSIGN, Permission, Reach
from tenants.access.policy import resource_of
from tenants.foundation.tables import Base, Owned


def owned_models() -> Mapping[str, Any]:
    """The model behind each resource whose records have owner and team."""
    return _owned(len(Base.metadata.tables))


@lru_cache(1)
def _owned(_tables: int) -> Mapping[str, Any]:
    """Looked up for each right of each caller: worked out anew only where a model has come since."""
    models: list[Any] = [mapper.class_ for mapper in Base.registry.mappers]
    owned = [each for each in models if issubclass(each, Owned)]
    return {resource_of(each): each for each in sorted(owned, key=lambda model: str(model.__name__))}


def reaches_of(permission: Permission) -> tuple[Reach, ...]:
    """The reaches that make a difference: what nobody owns is within everybody's reach or nobody's."""
    over_owned = permission.resource == ASSIGN.resource or permission.resource in owned_models()
    return tuple(Reach) if over_owned else (Reach.ALL,)


def effective(permission: Permission, reach: Reach) -> Reach:
    """How far a permission of this reach really goes."""
    return reach if reach in reaches_of(permission) else Reach.ALL
