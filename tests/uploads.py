"""Sends files to be imported, as a browser does."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.workspace import Client

BOUNDARY = "the-parts-of-a-form"


def upload(
    client: Client,
    content: str | bytes,
    resource: str,
    *,
    name: str = "people.csv",
    headers: Any = None,
    **said: Any,
) -> TestResponse:
    """POST /imports with this file; what is said besides is a field of the form, as JSON when it is an object."""
    fields = {"resource": resource, **{key: _text(value) for key, value in said.items()}}
    boundary = secrets.token_hex(8)
    return client.post(
        "/imports",
        data=form(fields, name, content.encode() if isinstance(content, str) else content, boundary),
        content_type=f"multipart/form-data; boundary={boundary}",
        headers=headers or {},
    )


def form(fields: dict[str, str], name: str, content: bytes | None, boundary: str = BOUNDARY) -> bytes:
    """A form of these fields and, unless it is None, a file: Flask's own leaves temporary files behind."""
    parts = [
        f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode()
        for key, value in fields.items()
    ]
    if content is not None:
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        parts.append(head.encode() + content)
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def brought_in(
    client: Client, run_jobs: Callable[[], int], content: str | bytes, resource: str, **said: Any
) -> Any:
    """The import after its job has run."""
    accepted = upload(client, content, resource, **said)
    assert accepted.status_code == 202, accepted.json
    run_jobs()
    return client.get(f"/imports/{accepted.json['id']}").json


def rejected(client: Client, done: Any) -> list[str]:
    """The lines of an import's rejected rows, without the header."""
    text = client.get(f"/imports/{done['id']}/rejected-rows").get_data(as_text=True)
    return text.lstrip("\ufeff").splitlines()[1:]


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
