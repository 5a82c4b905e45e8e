"""Routes of our own people under /staff/v1: each says who of us may, and is guarded before its view runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from flask import g

from tenants.access.permissions import Permission
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import DescribedBlueprint
from tenants.http.documentation import describe
from tenants.http.reading import refuse_unread
from tenants.support_access.staff.models import StaffRole
from tenants.support_access.staff.recognition import bearer, recognise
from tenants.support_access.visits import VISIT as TOKEN_OF_VISIT

View = Callable[..., Any]


@dataclass(frozen=True)
class Duty:
    """Who of us may use a route; nobody's `roles` mean that it is not for accounts: for anybody, or for a visit.

    What is `in_person` takes a session, which password and second factor began: a key alone shows neither.
    """

    permission: Permission
    roles: frozenset[str] = frozenset()
    in_person: bool = False


def _of(*roles: StaffRole) -> Duty:
    name = "staff:" + "|".join(sorted(roles)) if len(roles) < len(StaffRole) else "staff"
    return Duty(Permission(name, f"Staff: {', '.join(sorted(roles))}"), frozenset(roles))


def in_person(duty: Duty) -> Duty:
    """The same people, signed in with password and second factor."""
    return replace(duty, in_person=True)


ANY_STAFF = _of(*StaffRole)
SUPPORTING = _of(StaffRole.SUPPORT, StaffRole.SECURITY, StaffRole.PLATFORM)
LEGAL = _of(StaffRole.LEGAL)
SECURITY = _of(StaffRole.SECURITY)
NOBODY_YET = Duty(Permission("anyone", "Anybody", public=True))
#: A visit's token is all that these routes take: what it may do, the tenant's own rows say.
VISIT = Duty(Permission("visit", "Whoever holds the token of an open visit"))


class StaffBlueprint(DescribedBlueprint):
    """Routes of one thing under /staff/v1. A route that doesn't say who it is for (`may`) fails at import."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: View | None = None,
        provide_automatic_options: bool | None = None,  # noqa: FBT001 - Flask's signature
        *,
        may: Duty,
        **options: Any,
    ) -> None:
        assert view_func is not None  # noqa: S101 - Flask passes it always
        name = f"staff_{endpoint or view_func.__name__}"
        described = describe(view_func, may.permission, Purpose.SECURITY, name)
        super().add_url_rule(rule, name, _guarded(described, may), provide_automatic_options, **options)


def _guarded(view: View, may: Duty) -> View:
    @functools.wraps(view)
    def run(**path: Any) -> Any:
        if may.roles:
            g.staff = recognise()
            structlog.contextvars.bind_contextvars(staff=str(g.staff.id))
            g.staff.must_be(*sorted(may.roles))
            if may.in_person:
                g.staff.must_be_in_person()
        elif may is VISIT:
            bearer(TOKEN_OF_VISIT)  # what is sent is read of nobody who shows none
        refuse_unread(view)
        return view(**path)

    return run
