"""Makes the Flask application of a house: request ids, logs, limits, headers, documents, health and metrics."""

import re
import time
from threading import Lock
from typing import Any

import orjson
import structlog
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask, Response, current_app, g, request
from flask_smorest import Api
from flask_smorest.spec import MarshmallowPlugin
from werkzeug.middleware.proxy_fix import ProxyFix

from tenants.foundation.identifiers import new_id
from tenants.http import api_page, health, metrics, problems
from tenants.http.blueprint import Blueprint
from tenants.http.bodies import FORM, SealedUploads, most_of
from tenants.http.course import House
from tenants.http.openapi import document
from tenants.http.rate_limits import add_headers
from tenants.http.security_headers import with_security_headers
from tenants.http.slots import Slots

log = structlog.get_logger("request")
CALLERS_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
#: Requests of one address whose bodies one process waits for at a time.
WAITING_EACH = 64


def make_application(house: House, title: str, blueprints: list[Blueprint]) -> Flask:
    """The WSGI application that serves these blueprints under /api/v1.

    The document is at /api/v1/openapi.json. Unknown errors are a 500 without any of our insides.
    """
    app = _new_flask(house, title)
    api = Api(app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=schema_name)})
    api.ERROR_SCHEMA = problems.ProblemSchema
    app.before_request(_open)
    app.after_request(_close)
    problems.register(app)
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix=f"/api/v1{blueprint.url_prefix or ''}")
    app.add_url_rule("/api/v1/openapi.json", "openapi", _document_of(app, api))
    app.wsgi_app = Slots(app.wsgi_app, house.settings.web_threads, waiting_each=WAITING_EACH)  # type: ignore[method-assign]
    app.wsgi_app = with_security_headers(app.wsgi_app)  # type: ignore[method-assign]
    if proxies := house.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=0)  # type: ignore[method-assign]
    api_page.register(app)
    health.register(app, house)
    metrics.register(app)
    return app


def _new_flask(house: House, title: str) -> Flask:
    app = Flask(title, static_folder=None)
    app.request_class = SealedUploads
    app.config.update(
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=house.settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=house.settings.max_body_bytes,
        API_SPEC_OPTIONS={
            "info": {"description": "Times are RFC 3339 in UTC, ids UUIDv7, money an amount and a currency."}
        },
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it would redirect to whatever host the request names
    app.extensions["house"] = house
    return app


def schema_name(schema: Any) -> str:
    """`ContactBody` is what makes a record, `ContactPatch` the same with nothing required."""
    made = resolve_schema_instance(schema)
    name = type(made).__name__.removesuffix("Schema")
    return name.removesuffix("Body") + "Patch" if made.partial else name


def _document_of(app: Flask, api: Api) -> Any:
    made: list[bytes] = []
    one_at_a_time = Lock()

    def openapi() -> Response:
        with one_at_a_time:
            if not made:
                made.append(orjson.dumps(document(app, api)))
        return Response(made[0], content_type="application/json")

    return openapi


def _open() -> None:
    g.started = time.perf_counter()
    claimed = request.headers.get("X-Request-Id", "")
    g.request_id = claimed if CALLERS_ID.match(claimed) else new_id().hex
    structlog.contextvars.bind_contextvars(request=g.request_id)
    if request.mimetype != FORM:  # also when its length is not said beforehand
        request.max_content_length = most_of(current_app.view_functions.get(request.endpoint or ""))


def _close(response: Response) -> Response:
    """Headers that every answer has, and its line in the log: the route's pattern, never the path with its ids."""
    route = request.url_rule.rule if request.url_rule else "(none)"
    seconds = time.perf_counter() - g.started
    response.headers["X-Request-Id"] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.add("Vary", "Authorization, Cookie")
    add_headers(response)
    metrics.observe(request.method, route, response.status_code, seconds)
    answered = {"status": response.status_code, "ms": round(seconds * 1000, 2), "code": g.get("problem")}
    log.info("request", method=request.method, route=route, **answered)
    structlog.contextvars.clear_contextvars()
    return response
