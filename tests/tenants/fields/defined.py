"""Fields for tests: one of each kind."""

from typing import Any

from tests.workspace import Workspace

EVERY_KIND: dict[str, dict[str, Any]] = {
    "nickname": {"kind": "text"},
    "story": {"kind": "long_text"},
    "weight": {"kind": "number", "personal": False},
    "vip": {"kind": "boolean", "personal": False},
    "since": {"kind": "date"},
    "last_call": {"kind": "datetime"},
    "size": {"kind": "choice", "choices": ["S", "M", "L"], "personal": False},
    "interests": {"kind": "choices", "choices": ["art", "boats", "=1+1"]},
    "homepage": {"kind": "url"},
    "private_email": {"kind": "email"},
}
VALUES: dict[str, Any] = {
    "nickname": "Zaphod 👩‍👩‍👧 née ﷽",
    "story": 'two\nlines\r\n\tand =1+1, "quotes" \\N',
    "weight": "12.5",
    "vip": True,
    "since": "2020-02-29",
    "last_call": "2026-03-01T09:30:00.000000Z",
    "size": "M",
    "interests": ["boats", "=1+1"],
    "homepage": "https://example.org/a?b=c",
    "private_email": "z@example.org",
}


def define(workspace: Workspace, resource: str, name: str, **options: Any) -> dict[str, Any]:
    """A new field of this tenant."""
    said = {"resource": resource, "name": name, "label": name.title(), "kind": "text", **options}
    answer = workspace.admin.post("/fields", said)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)
