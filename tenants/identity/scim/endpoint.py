"""`/scim/v2`: a directory's requests, each one transaction of its tenant under the same guard as any other."""

import functools
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, g, request
from scim2_models import Error, PatchOp, Resource
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE
from scim2_server.service import ScimService
from werkzeug.datastructures import MultiDict

from tenants.access.caller import Caller, acting
from tenants.access.ownership import reaches_of
from tenants.access.permissions import Reach, registered
from tenants.foundation.errors import Malformed, NotAllowed, NotSignedIn, TooManyRequests
from tenants.http.closed import fields_fixed
from tenants.http.course import House, answer_writing, the_house
from tenants.http.reading import read_json, refuse_repeated
from tenants.identity.people.permissions import READ_TEAMS, READ_USERS
from tenants.identity.scim import resources as scim
from tenants.identity.scim.permissions import PROVISION
from tenants.identity.scim.refusing import FORESEEN, error_of
from tenants.identity.scim.storage import TenantDirectory
from tenants.isolation.door import here

PREFIX = "/scim/v2"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: What Microsoft Entra sends of an address that isn't there yet; the standard calls that a path without a target.
ONE_EMAIL = re.compile(r'emails\[type eq "(\w{1,20})"\]\.value', re.IGNORECASE)


class SpokenByDirectories(ScimService):
    """The protocol, with our refusals in it and what Entra needs."""

    @staticmethod
    def error_of(exception: Exception) -> Error:
        return error_of(exception)

    def apply_patch(
        self, current: Resource[Any], patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any] | None:
        added = [_add_target(current, each) for each in patch_op.operations or ()]
        patched = super().apply_patch(current, patch_op, conditions)
        return current if patched is None and any(added) else patched


_handler = ScimHandler(SpokenByDirectories(scim.PROVIDER), TenantDirectory())


def register(app: Flask) -> None:
    """Serve directories beside the API: the standard says what their addresses and answers look like."""
    for rule in (PREFIX, f"{PREFIX}/<path:path>"):
        app.add_url_rule(rule, f"scim {rule}", _serve, methods=METHODS)


def _serve(path: str = "") -> Response:
    house = the_house()
    try:
        return answer_writing(house, functools.partial(_answer, house, path), PROVISION, None)
    except FORESEEN as refused:
        return _refused(refused)


def _answer(house: House, path: str) -> Response:
    now, parameters = acting(), _parameters()
    here().caller = replace(now, caller=provisioner(now.caller))
    asked = ScimRequest(
        method=request.method,
        base_url=house.settings.public_url.rstrip("/") + PREFIX,
        path=f"/{path}",
        query=parameters,
        headers=list(request.headers.items()),
        body=_body(),
    )
    said = _handler.handle(asked)
    body = b"" if said.body is None else json.dumps(said.body).encode()
    return Response(body, said.status.value, said.headers)


def _parameters() -> dict[str, str]:
    """What the address says. Raises Invalid, which becomes `invalidValue`, for what it says twice."""
    pairs = parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True)
    refuse_repeated(MultiDict(pairs))
    return dict(pairs)


def _body() -> bytes:
    """What the request says. Raises Malformed for what is no JSON, or has one name twice (RFC 7643, 2.1: in any case)."""
    body = request.get_data(cache=True)
    if body:
        try:
            read_json(body.decode(), any_case=True)
        except (ValueError, RecursionError):
            raise Malformed("The body is no JSON in UTF-8.") from None
    return body


def provisioner(caller: Caller) -> Caller:
    """Whoever provisions sees all users and teams; what only people may do, they hand on over one's own things at most.

    So no key, not even an admin's without scopes, makes anybody an admin. Raises NotAllowed for somebody in a browser,
    and for a key of somebody to whom fields of users or teams are closed.
    """
    if caller.kind == "session":
        raise NotAllowed("Directories come with an API key.")
    if any(fields_fixed(caller, each) for each in ("users", "teams")):
        raise NotAllowed(
            "Fields of users or teams are closed to whose key this is: a directory needs all of them."
        )
    known = registered()
    rights = {
        name: Reach.OWN if known[name].people_only else reach
        for name, reach in caller.rights.items()
        if name in known and (not known[name].people_only or Reach.OWN in reaches_of(known[name]))
    }
    return replace(caller, rights={**rights, READ_USERS.name: Reach.ALL, READ_TEAMS.name: Reach.ALL})


def _add_target(current: Resource[Any], operation: Any) -> bool:
    """Make room for an address of a kind that isn't there yet."""
    found = ONE_EMAIL.fullmatch(str(operation.path or ""))
    if not found or operation.op == "remove" or not isinstance(current, scim.User):
        return False
    if any(each.type == found[1] for each in current.emails or ()):
        return False
    current.emails = [*(current.emails or ()), scim.Email(type=found[1])]
    return True


def _refused(exception: Exception) -> Response:
    error = error_of(exception)
    response = Response(json.dumps(error.model_dump()), error.status or 500, content_type=SCIM_MEDIA_TYPE)
    if isinstance(exception, NotSignedIn):
        response.headers["WWW-Authenticate"] = 'Bearer realm="freehold"'
    if isinstance(exception, TooManyRequests):
        response.headers["Retry-After"] = str(exception.retry_after)
    g.problem = f"scim_{error.scim_type or error.status}"
    return response
