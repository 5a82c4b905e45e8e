"""What a bundle says of its files comes from anybody: no type that it names reaches a browser."""

import pytest
from sqlalchemy import update

from tenants.attachments.models import Attachment
from tenants.isolation.door import db, inside
from tests.attaching import attached
from tests.workspace import Workspace

NAMED = [
    "text/html; charset=utf-8",
    "TEXT/HTML",
    "text/html\r\nSet-Cookie: a=b",
    "image/svg+xml;x",
    "application/javascript",
    "multipart/x-mixed-replace",
    "",
]


@pytest.mark.parametrize("named", NAMED)
def test_a_download_says_no_type_but_those_that_we_tell_by_ourselves(
    acme: Workspace, neighbour: Workspace, named: str
) -> None:
    contact = acme.admin.post("/contacts", {"last_name": "Brought"}).json["id"]
    made = attached(acme.admin, "contacts", contact, content=b"<script>alert(1)</script>")["id"]
    with inside(acme.home):
        table = Attachment.__table__
        db().connection().execute(
            update(table).where(table.c.id == made).values(media_type=named, name="a\r\nX: y.html")
        )
    answer = acme.admin.get(f"/attachments/{made}/download")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "X" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert neighbour.admin.get(f"/attachments/{made}/download").status_code == 404
