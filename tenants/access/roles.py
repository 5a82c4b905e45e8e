"""The roles every tenant begins with, worked out from the register of permissions."""

from collections.abc import Callable

from tenants.access.permissions import Reach, registered

RoleRule = Callable[[str, str], Reach | None]
_rules: dict[str, RoleRule] = {}


def role(name: str) -> Callable[[RoleRule], RoleRule]:
    """Declare a built-in role: a rule from (resource, action) to the reach it gives, or None."""

    def declare(rule: RoleRule) -> RoleRule:
        _rules[name] = rule
        return rule

    return declare


def built_in_roles() -> dict[str, dict[str, str]]:
    """Each built-in role with its permissions, as it is stored."""
    return {name: _permissions(rule) for name, rule in _rules.items()}


def _permissions(rule: RoleRule) -> dict[str, str]:
    found = {}
    for name in registered():
        resource, _, action = name.partition(":")
        if reach := rule(resource, action):
            found[name] = reach.value
    return found
