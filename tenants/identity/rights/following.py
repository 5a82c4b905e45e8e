"""Built-in roles say in every tenant what this version of the program means by them."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.access.policy import change
from tenants.access.roles import built_in_roles
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.tables import Source
from tenants.identity.models import Role
from tenants.isolation.door import db, inside
from tenants.isolation.walking import walk

log = structlog.get_logger(__name__)
BUILT_IN = "select name, permissions from roles where built_in order by name"


def follow_everywhere(catalog: Catalog) -> int:
    """Bring the built-in roles of all tenants up to date; how many tenants were behind.

    One statement per tenant finds those that are; what changes there is on record in their audit.
    """
    behind = [home for home, rows in walk(catalog.homes(), BUILT_IN, {}) if not _current(rows)]
    for home in behind:
        _follow(home)
    return len(behind)


def _current(rows: Sequence[tuple[str, dict[str, str]]]) -> bool:
    """A tenant that is a copy of an older one may lack a role: what isn't there is nobody's, and is not made."""
    wanted = built_in_roles()
    return all(wanted.get(name) == permissions for name, permissions in rows if name in wanted)


def _follow(home: Home) -> None:
    with inside(home):
        act_as(SYSTEM, request_id="roles", source=Source.SYSTEM)
        roles = {
            role.name: role for role in db().scalars(select(Role).where(Role.built_in).with_for_update())
        }
        for name, permissions in built_in_roles().items():
            if name in roles and roles[name].permissions != permissions:
                change(roles[name], {"permissions": permissions})
    log.info("built_in_roles_follow", tenant=str(home.id))
