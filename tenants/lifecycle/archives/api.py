"""Archives over HTTP: put away by an admin, woken by a link that an admin got by mail."""

from typing import Any

from flask import Response, current_app, request
from sqlalchemy import select

from tenants.access.caller import acting
from tenants.access.permissions import ANYONE
from tenants.catalog.states import Mover
from tenants.foundation.identifiers import token_hash
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.rate_limits import Allowance
from tenants.identity.signing_in.places import normal
from tenants.isolation.door import here
from tenants.jobs.errands import Errands
from tenants.lifecycle.archives.keeping import ask_to_archive
from tenants.lifecycle.archives.links import LINKS, Woken, wake
from tenants.lifecycle.archives.models import Archive
from tenants.lifecycle.archives.permissions import CREATE_ARCHIVES, READ_ARCHIVES
from tenants.lifecycle.archives.schemas import (
    ArchiveBody,
    ArchiveSchema,
    ArchivesSchema,
    ThawBody,
    ThawLinkBody,
    ThawSchema,
)
from tenants.lifecycle.changing import Decision

archives = Blueprint("archives", __name__, url_prefix="/archives", purpose=Purpose.ACCOUNT)
PER_ADDRESS, PER_MAILBOX = Allowance("thaw-links-address", 20, 3600), Allowance("thaw-links-mailbox", 3, 3600)


@archives.get("", may=READ_ARCHIVES)
@archives.response(200, ArchivesSchema)
def list_archives() -> dict[str, Any]:
    """Every time that this workspace was archived, latest first."""
    mine = select(Archive).where(Archive.tenant_id == here().home.id).order_by(Archive.id.desc())
    with the_house().catalog.transaction() as session:
        return {"data": session.scalars(mine).all()}


@archives.post("", may=CREATE_ARCHIVES)
@archives.takes(ArchiveBody())
@archives.response(202, ArchiveSchema)
def create_archive(said: dict[str, Any]) -> Archive:
    """Archive the workspace: nothing is changed in it from now on, then nobody gets in until an admin wakes it."""
    catalog = the_house().catalog
    decision = Decision(Mover.ADMIN, said["reason"], acting().caller.user_id)
    archive_id = ask_to_archive(catalog, here().home.id, decision)
    with catalog.transaction() as session:
        made: Archive = session.get_one(Archive, archive_id)
    return made


@archives.post("/links", may=ANYONE)
@archives.takes(ThawLinkBody())
@archives.response(202, description="If the address is known in an archived workspace, a mail is on its way.")
def create_thaw_link(said: dict[str, Any]) -> Response:
    """Ask for the link that wakes an archived workspace. The answer is the same whether there is one or not."""
    house, nursery = the_house(), current_app.extensions["nursery"]
    mailbox = token_hash(normal(said["email"])).hex()
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""), (PER_MAILBOX, mailbox))
    Errands(house.catalog, nursery.wrapper).plant(LINKS, {"email": said["email"], "slug": said.get("tenant")})
    return Response(status=202)


@archives.post("/thaws", may=ANYONE)
@archives.takes(ThawBody())
@archives.response(202, ThawSchema)
def create_thaw(said: dict[str, Any]) -> Woken:
    """Wake an archived workspace with the token of a mail; send it again to see how far it is."""
    house = the_house()
    house.limits.hit((PER_ADDRESS, request.remote_addr or ""))
    return wake(house.catalog, said["token"])
