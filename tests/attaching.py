"""Sends files to be attached to records, as a browser does, and looks for what is stored of them."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from tenants.isolation.door import inside
from tenants.isolation.files import files
from tests.workspace import Client, Workspace

CONTENT = b"Zilpzalp: the terms that we agreed on.\n"


def attach(
    client: Client,
    resource: str,
    record_id: str,
    *,
    content: bytes = CONTENT,
    name: str = "terms.txt",
    media_type: str = "text/plain",
    headers: dict[str, str] | None = None,
) -> TestResponse:
    """POST /attachments with this file."""
    boundary = secrets.token_hex(8)
    return client.post(
        "/attachments",
        data=form({"resource": resource, "record_id": record_id}, content, name, media_type, boundary),
        content_type=f"multipart/form-data; boundary={boundary}",
        headers=headers or {},
    )


def form(fields: dict[str, str], content: bytes | None, name: str, media_type: str, boundary: str) -> bytes:
    """A form with these fields and, unless it is None, a file. A name of any characters goes as RFC 8187 has it."""
    parts = [
        f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode()
        for key, value in fields.items()
    ]
    if content is not None:
        head = f"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''{quote(name, safe='')}\r\n"
        parts.append(f"{head}Content-Type: {media_type}\r\n\r\n".encode() + content)
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def attached(client: Client, resource: str, record_id: str, **said: Any) -> dict[str, Any]:
    """The attachment that came of it."""
    answer = attach(client, resource, record_id, **said)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def listed(client: Client, record_id: str) -> list[str]:
    """The ids of a record's attachments, as somebody sees them."""
    answer = client.get("/attachments", query_string={"record_id": record_id})
    assert answer.status_code == 200, answer.json
    return [each["id"] for each in answer.json["data"]]


def stored(workspace: Workspace) -> list[str]:
    """The names of a tenant's stored attachments."""
    with inside(workspace.home):
        return list(files().list("attachments/"))


def raw(workspace: Workspace, name: str) -> bytes:
    """The bytes as they lie in storage."""
    with inside(workspace.home), files().open_stream(name) as chunks:
        return b"".join(chunks)


def alter(workspace: Workspace, name: str) -> bytes:
    """Flip one bit of what lies in storage; the bytes that were there."""
    sealed = raw(workspace, name)
    with inside(workspace.home):
        files().write(name, [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    return sealed


NewWorkspace = Callable[[], Workspace]


def purge(workspace: Workspace, record_id: str) -> None:
    """Take a deleted record out of the bin, for good."""
    (entry,) = workspace.admin.get(f"/bin?record_id={record_id}").json["data"]
    assert workspace.admin.in_person.delete(f"/bin/{entry['id']}").status_code == 204
