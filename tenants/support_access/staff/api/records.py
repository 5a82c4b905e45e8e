"""What a visit sees: a list, a count and single records of each resource that the product opens to visits."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response, g, jsonify, request

from tenants.foundation.errors import NotSignedIn
from tenants.foundation.identifiers import tenant_of_token
from tenants.http.course import the_house
from tenants.http.documentation import describe_figures, describe_page
from tenants.http.reading import asks
from tenants.support_access.changing import changed
from tenants.support_access.staff.blueprint import VISIT, StaffBlueprint
from tenants.support_access.staff.pointers import is_active
from tenants.support_access.staff.recognition import PER_ADDRESS, bearer
from tenants.support_access.staff.schemas import CountSchema
from tenants.support_access.standing import Circumstances
from tenants.support_access.visitable import Visitable
from tenants.support_access.visiting import count_of, one_of, page_of
from tenants.support_access.visits import VISIT as PREFIX


def records_of(every: Iterable[Visitable]) -> StaffBlueprint:
    """The routes of a visit, under /visits/current."""
    made = StaffBlueprint("staff-records", __name__, url_prefix="/visits/current")
    for each in every:
        _add_reading(made, each)
        if each.body is not None:
            _add_changing(made, each)
    return made


def _add_reading(made: StaffBlueprint, each: Visitable) -> None:
    resource, name = each.resource, each.resource.name
    word = name.replace("-", "_")

    @asks
    def list_records() -> Response:
        return _json(page_of(_circumstances(), name, request.args))

    @asks
    def count_records() -> Response:
        return jsonify(count=count_of(_circumstances(), name, request.args))

    def get_record(record_id: UUID) -> Response:
        return _json(one_of(_circumstances(), name, record_id))

    list_records.__doc__ = (
        f"{name} within the visit's scope, masked as its grant says. Each is in the tenant's log."
    )
    count_records.__doc__ = (
        f"How many {name} within the visit's scope there are. The question is in the tenant's log."
    )
    get_record.__doc__ = f"One of {name} within the visit's scope."
    counted = made.response(200, CountSchema)(describe_figures(count_records, resource, []))
    made.add_url_rule(
        f"/{name}", f"visit_{word}", describe_page(list_records, resource), may=VISIT, methods=["GET"]
    )
    made.add_url_rule(f"/{name}/count", f"visit_count_of_{word}", counted, may=VISIT, methods=["GET"])
    shown = made.response(200, resource.schema)(get_record)
    made.add_url_rule(f"/{name}/<uuid:record_id>", f"visit_one_of_{word}", shown, may=VISIT, methods=["GET"])


def _add_changing(made: StaffBlueprint, each: Visitable) -> None:
    name = each.resource.name
    assert each.body is not None  # noqa: S101 - only those that can be changed come here

    def change_record(said: dict[str, Any], record_id: UUID) -> Response:
        return _json(changed(_circumstances(), name, record_id, said))

    change_record.__doc__ = f"Change one of {name}, in a visit that said beforehand what for."
    taking = made.takes(each.body)(change_record)
    answering = made.response(200, each.resource.schema)(taking)
    word = f"visit_change_{name.replace('-', '_')}"
    made.add_url_rule(f"/{name}/<uuid:record_id>", word, answering, may=VISIT, methods=["PATCH"])


def _circumstances() -> Circumstances:
    """Which visit makes this request. Raises NotSignedIn."""
    the_house().limits.hit((PER_ADDRESS, request.remote_addr or ""))
    token = bearer(PREFIX)
    tenant_id = tenant_of_token(token, PREFIX)
    home = the_house().catalog.home(tenant_id) if tenant_id else None
    if home is None:
        raise NotSignedIn
    catalog = the_house().catalog
    route = f"{request.method} {request.url_rule.rule if request.url_rule else ''}"
    return Circumstances(
        home, token, route, g.request_id, request.remote_addr, lambda staff_id: is_active(catalog, staff_id)
    )


def _json(body: bytes) -> Response:
    return Response(body, content_type="application/json")
