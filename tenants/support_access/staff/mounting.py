"""Puts /staff/v1 into the application, with an OpenAPI document of its own at /staff/v1/openapi.json."""

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Flask, Response
from flask_smorest import Api
from flask_smorest.spec import MarshmallowPlugin

from tenants.http import problems
from tenants.http.application import schema_name
from tenants.http.documentation import METHODS
from tenants.http.openapi import document
from tenants.support_access.staff.blueprint import StaffBlueprint

PREFIX = "/staff/v1"
UNUSED = ("Idempotency-Key", "If-Match")


def mount_staff(app: Flask, blueprints: Sequence[StaffBlueprint]) -> None:
    """Serve our own people's routes beside those of tenants."""
    app.config.update(
        STAFF_API_TITLE="Freehold for staff",
        STAFF_API_VERSION="v1",
        STAFF_OPENAPI_VERSION="3.1.0",
        STAFF_API_SPEC_OPTIONS={
            "info": {
                "description": "Staff see nothing of a tenant without a visit that the tenant let them open."
            }
        },
    )
    plugin = MarshmallowPlugin(schema_name_resolver=schema_name)
    api = Api(app, spec_kwargs={"marshmallow_plugin": plugin}, config_prefix="STAFF_")
    api.ERROR_SCHEMA = problems.ProblemSchema
    problems.register(app)  # flask-smorest put its own answers in their place
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix=f"{PREFIX}{blueprint.url_prefix or ''}")
    app.add_url_rule(f"{PREFIX}/openapi.json", "staff_openapi", _document_of(app, api))


def _document_of(app: Flask, api: Api) -> Any:
    made: list[bytes] = []

    def staff_openapi() -> Response:
        if not made:
            made.append(orjson.dumps(_of_staff(document(app, api))))
        return Response(made[0], content_type="application/json")

    return staff_openapi


def _of_staff(made: dict[str, Any]) -> dict[str, Any]:
    """As the tenants' document, less what these routes don't do."""
    said = "A staff key, a staff session, or the token of a visit."
    made["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": said}
    }
    for item in made["paths"].values():
        for operation in (item[method] for method in METHODS if method in item):
            operation["security"] = [{}] if operation["security"] == [{}] else [{"bearer": []}]
            kept = [each for each in operation.get("parameters", []) if each.get("name") not in UNUSED]
            operation["parameters"] = kept
    return made
