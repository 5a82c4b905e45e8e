"""Which records files can be attached to, and who may: whoever may read or change the record itself."""

from typing import Any
from uuid import UUID

from tenants.access.caller import acting
from tenants.access.permissions import registered
from tenants.access.policy import find, resource_of
from tenants.access.reaching import decide
from tenants.foundation.errors import Invalid, NotAllowed
from tenants.foundation.tables import Base


def attachable() -> dict[str, Any]:
    """The model behind each resource that says `__attachments__`.

    Raises TypeError for one that nobody can be allowed to change: nobody could be allowed to attach anything.
    """
    models: list[Any] = [each.class_ for each in Base.registry.mappers if each.class_.__attachments__]
    found = {resource_of(each): each for each in sorted(models, key=lambda model: str(model.__name__))}
    for name in found:
        if f"{name}:edit" not in registered():
            raise TypeError(f"Files can't be attached to {name}: there is no permission '{name}:edit'.")
    return found


def readable_record(resource: str, record_id: UUID) -> Any:
    """The record that a file is on. Raises NotFound when it is out of the caller's reach, or gone."""
    return find(_model(resource), record_id)


def editable_record(resource: str, record_id: UUID, *, lock: bool = False) -> Any:
    """The same, for whoever changes what is on it.

    Raises NotFound when they may not read it, NotAllowed when they may read and not change it. `lock` keeps it from
    being deleted until the transaction ends.
    """
    record = find(_model(resource), record_id, lock=lock)
    right = f"{resource}:edit"
    if not decide(acting().caller, right, record).allowed:
        raise NotAllowed(f"'{right}' does not reach this record for you.")
    return record


def _model(resource: str) -> Any:
    model = attachable().get(resource)
    if model is None:
        raise Invalid(errors={"resource": [f"Files can be attached to: {', '.join(sorted(attachable()))}."]})
    return model
