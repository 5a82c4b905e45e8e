"""The roles every tenant begins with, worked out from the register of permissions."""

from collections.abc import Callable, Mapping

from tenants.access.ownership import effective
from tenants.access.permissions import Reach, registered

RoleRule = Callable[[str, str], Reach | None]
_rules: dict[str, RoleRule] = {}


def use_roles(rules: Mapping[str, RoleRule]) -> None:
    """Say once, at start-up, which roles a tenant begins with: each a rule from (resource, action) to a reach."""
    _rules.clear()
    _rules.update(rules)


def built_in_roles() -> dict[str, dict[str, str]]:
    """Each built-in role with its permissions, as it is stored."""
    return {name: _permissions(rule) for name, rule in _rules.items()}


def _permissions(rule: RoleRule) -> dict[str, str]:
    found = {}
    for name, permission in registered().items():
        resource, _, action = name.partition(":")
        if reach := rule(resource, action):
            found[name] = effective(permission, reach).value
    return found
