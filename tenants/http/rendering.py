"""A record that a writing route made or changed, rendered in its own transaction."""

from dataclasses import replace
from typing import Any

from flask import Response, request
from werkzeug.datastructures import MultiDict

from tenants.access.caller import acting
from tenants.http.etags import etag
from tenants.http.representation import Resource
from tenants.http.rows import one, page
from tenants.http.selection import Selection
from tenants.isolation.door import here


def rendered_record(resource: Resource, record: Any, status: int) -> Response:
    """The record as its resource shows it, with its ETag, and its Location when it is new."""
    now = acting()
    selection = Selection(resource, {"id": record.id}, single=True)
    # Whoever may make this record may see what they made, less what is hidden from them.
    asked = selection.ask(replace(now.caller, everything=True), MultiDict())
    rows = here().ask(asked.question.sql, asked.question.values)
    response = Response(one(asked, rows, here().home.id), status, content_type="application/json")
    if hasattr(record, "version"):
        response.headers["ETag"] = etag(record.version)
    if status in (201, 202):
        response.headers["Location"] = f"/api/v1/{resource.name}/{record.id}"
    elif request.method == "POST":
        response.headers["Content-Location"] = f"/api/v1/{resource.name}/{record.id}"
    return response


def rendered_page(selection: Selection) -> Response:
    """A list inside the transaction at hand, for routes that had to find something else first."""
    asked = selection.ask(acting().caller, request.args)
    rows = here().connection.exec_driver_sql(asked.question.sql, dict(asked.question.values)).all()
    return Response(
        page(asked, [tuple(row) for row in rows], here().home.id), content_type="application/json"
    )
