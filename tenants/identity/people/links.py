"""A stranger who follows the link of a mail: their token says which tenant, and acts in it as the house."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import g, request
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.errors import Conflict
from tenants.foundation.identifiers import tenant_of_token
from tenants.http.course import House
from tenants.http.rate_limits import Allowance
from tenants.identity.models import TenantProfile
from tenants.identity.one_time import GONE, PREFIX
from tenants.isolation.door import db, inside

PER_ADDRESS = Allowance("links-address", 60)


@contextmanager
def following(house: House, token: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """One transaction in the tenant of a token; gives how that tenant is called.

    Raises Conflict, in the words of a link that was used, when there is no such tenant or it is closed.
    """
    tenant_id = tenant_of_token(token, PREFIX)
    home = house.catalog.home(tenant_id) if tenant_id else None
    if home is None or not home.permits.reads:
        raise Conflict(GONE, code="gone")
    with inside(home):
        act_as(SYSTEM, address=request.remote_addr, request_id=g.request_id)
        profile = db().scalars(select(TenantProfile)).one()
        if profile.state != "active":
            raise Conflict(GONE, code="gone")
        yield lambda: {"slug": profile.slug, "name": profile.name}
