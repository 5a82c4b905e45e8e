"""What a role can say: permissions of the register, with a reach that makes sense, and rules for fields there are."""

from collections.abc import Iterator, Mapping
from typing import Any

from tenants.access.ownership import reaches_of
from tenants.access.permissions import Permission, Reach, registered
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import PREFIX
from tenants.foundation.errors import Invalid
from tenants.http.representation import ruled_fields

Rules = Mapping[str, Mapping[str, str]]


def merged(before: Any, said: Any) -> Any:
    """A JSON merge patch (RFC 7396): objects are merged, null takes away."""
    if not isinstance(said, Mapping):
        return said
    kept = dict(before) if isinstance(before, Mapping) else {}
    for name, value in said.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def plain(permissions: Mapping[str, Reach | str]) -> dict[str, str]:
    """Permissions as they are stored."""
    return {name: Reach(reach).value for name, reach in sorted(permissions.items())}


def must_make_sense(permissions: Mapping[str, str], rules: Rules) -> None:
    """Raises Invalid that names every permission, reach and field which a role can't have."""
    errors = {"permissions": [*_wrong_permissions(permissions)], "field_rules": [*_wrong_fields(rules)]}
    if found := {name: texts for name, texts in errors.items() if texts}:
        raise Invalid("The role can't be like that.", errors=found)


def own_fields(resource: str) -> list[str]:
    """The fields of the tenant's own that a rule can close, `custom.name`."""
    return [PREFIX + name for name in definitions().of(resource)]


def _wrong_permissions(permissions: Mapping[str, str]) -> Iterator[str]:
    known = registered()
    for name, reach in permissions.items():
        if name not in known:
            yield f"There is no permission '{name}'."
        elif reach not in _words(known[name]):
            yield f"'{name}' can't reach '{reach}': nobody owns what it is about. Say 'all'."


def _words(permission: Permission) -> list[str]:
    return [each.value for each in reaches_of(permission)]


def _wrong_fields(rules: Rules) -> Iterator[str]:
    known = ruled_fields()
    for resource, fields in rules.items():
        if resource not in known:
            yield f"There is no resource '{resource}' with fields to close."
            continue
        yield from (
            f"'{name}' is no field of {resource} that can be closed."
            for name in fields
            if name not in known[resource] and name not in own_fields(resource)
        )
