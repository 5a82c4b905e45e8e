"""Requests of somebody who means harm: each is refused in words, and costs nobody else anything."""

import base64
import io
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.settings import Settings
from tenants.http import course, rate_limits
from tenants.http.bodies import LONGEST_CHARACTER
from tenants.http.rate_limits import RateLimits
from tenants.http.texts import LONGEST
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, User
from tenants.identity.programs.models import ApiKey
from tenants.isolation.counters import Counters
from tenants.isolation.door import db, inside
from tests.workspace import Workspace

HALF = b'"\\ud800"'
UNKEEPABLE = {
    "a value that is half of a surrogate pair": b'{"name": ' + HALF + b"}",
    "a name that is half of a surrogate pair": b'{"name": "x", ' + HALF + b": 1}",
    "a number of 5,000 digits": b'{"name": "x", "employees": ' + b"9" * 5000 + b"}",
    "an amount with an enormous exponent": b'{"name": "x", "revenue": {"amount": "1e999999", "currency": "EUR"}}',
    "an amount with a tiny exponent": b'{"name": "x", "revenue": {"amount": "1e-999999", "currency": "EUR"}}',
}


def _cursor(said: object) -> str:
    return base64.urlsafe_b64encode(said if isinstance(said, bytes) else json.dumps(said).encode()).decode()


@pytest.mark.parametrize("limit", ["000001000000", "1" + "0" * 5000, "0050", "²", "-1", "1e2"])
def test_no_spelling_of_a_limit_gets_past_the_largest_page(
    acme: Workspace, neighbour: Workspace, limit: str
) -> None:
    for workspace in (acme, neighbour):
        answer = workspace.admin.get("/contacts", query_string={"limit": limit})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["limit"])


def test_a_forged_cursor_is_refused_and_nothing_breaks(acme: Workspace, neighbour: Workspace) -> None:
    for _ in range(2):
        acme.admin.post("/companies", {"name": "Page"})
    cursor = acme.admin.get("/companies?limit=1").json["next_cursor"]
    mark, *keys = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    for forged in (b"[" * 30_000, [mark, "\ud800", keys[-1]], [mark, *keys, "x"], {"a": 1}, [mark]):
        answer = acme.admin.get("/companies", query_string={"limit": 1, "cursor": _cursor(forged)})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])
    assert neighbour.admin.get("/companies", query_string={"limit": 1, "cursor": cursor}).status_code == 422


@pytest.mark.parametrize("body", UNKEEPABLE.values(), ids=UNKEEPABLE.keys())
def test_what_json_can_say_and_nothing_can_keep_is_refused(
    acme: Workspace, neighbour: Workspace, body: bytes
) -> None:
    for workspace in (acme, neighbour):
        answer = workspace.admin.request("POST", "/companies", data=body, content_type="application/json")
        assert answer.status_code in (400, 422)
        assert answer.content_type == "application/problem+json"


def test_what_is_refused_by_name_may_be_named_by_no_text(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        form = {"resource": "contacts", "mapping": '{"\\ud800": "last_name"}'}
        file = (io.BytesIO(b"last_name\nEve\n"), "f.csv")
        answer = workspace.admin.request("POST", "/imports", data={**form, "file": file})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["mapping"])


def test_a_time_outside_of_the_calendar_is_refused_by_name(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        for time in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
            answer = workspace.admin.get("/contacts", query_string={"created_at[gt]": time})
            assert (answer.status_code, list(answer.json["errors"])) == (422, ["created_at[gt]"])


def test_a_body_that_does_not_say_its_length_is_bounded_all_the_same(
    app: Flask, settings: Settings, acme: Workspace
) -> None:
    most = settings.max_body_bytes + LONGEST_CHARACTER * LONGEST
    body = b'{"email": "' + b"a" * most + b'", "password": "x"}'
    for path, headers in (("sessions", {}), ("contacts", {"Authorization": f"Bearer {acme.admin.key}"})):
        answer = app.test_client().post(
            f"/api/v1/{path}",
            input_stream=io.BytesIO(body),
            content_type="application/json",
            headers=headers,
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_open_redirect_none_leads_to_the_host_that_a_request_names(
    acme: Workspace, neighbour: Workspace
) -> None:
    for workspace in (acme, neighbour):
        for path in ("/api/v1//contacts", "/api//v1/contacts", "/api/v1/contacts//"):
            answer = workspace.admin.get(path, headers={"Host": "evil.example"})
            assert answer.status_code == 404
            assert "evil.example" not in str(answer.headers) + answer.get_data(as_text=True)


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_size: object) -> bytes:
        raise AssertionError("The body of a stranger was read.")

    readinto = readline = read  # type: ignore[assignment]


def test_a_file_of_a_stranger_is_not_taken_in(app: Flask, acme: Workspace, neighbour: Workspace) -> None:
    for home in (acme.home, neighbour.home):
        answer = app.test_client().post(
            "/api/v1/imports",
            input_stream=Unread(b"--x"),
            content_type="multipart/form-data; boundary=x",
            headers={"Authorization": f"Bearer {new_token('fhk', home.id)}"},
        )
        assert answer.status_code == 401


def test_a_revoked_key_has_nothing_guessed_for_it_again(
    app: Flask, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with inside(acme.home):
        act_as(SYSTEM)
        key = new_api_key(acme.home, db().get_one(User, acme.admin.user_id), "To be revoked")
    asked: list[int] = []
    real = course.read
    monkeypatch.setattr(
        course, "read", lambda home, *questions: asked.append(len(questions)) or real(home, *questions)
    )
    headers = {"Authorization": f"Bearer {key}"}
    client = app.test_client()
    assert client.get("/api/v1/contacts", headers=headers).status_code == 200
    with inside(acme.home):
        act_as(SYSTEM)
        db().query(ApiKey).filter(ApiKey.hash == token_hash(key)).one().revoked_at = now()
    assert client.get("/api/v1/contacts", headers=headers).status_code == 401
    asked.clear()
    assert client.get("/api/v1/contacts?q=secret", headers=headers).status_code == 401
    assert asked == [1]  # the guard alone
    assert neighbour.admin.get("/contacts").status_code == 200


def test_strangers_can_not_use_up_the_allowance_of_a_tenant(
    app: Flask,
    settings: Settings,
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    victim, moment = new_workspace(), now().timestamp()
    monkeypatch.setattr(
        rate_limits, "time", SimpleNamespace(time=lambda: moment)
    )  # in another minute all may ask again
    limits = RateLimits(Counters(settings.redis_url), per_tenant=12, per_caller=1000)
    house = replace(app.extensions["house"], limits=limits, seen=course.Standings())
    monkeypatch.setitem(app.extensions, "house", house)
    strange = {"environ_base": {"REMOTE_ADDR": f"198.51.100.{secrets.randbelow(250)}"}}
    codes = []
    for _ in range(30):
        headers = {"Authorization": f"Bearer {new_token('fhk', victim.home.id)}"}
        codes.append(app.test_client().get("/api/v1/contacts", headers=headers, **strange).status_code)
    assert set(codes) == {401, 429}  # their own address has an end
    own = {"environ_base": {"REMOTE_ADDR": f"203.0.113.{secrets.randbelow(250)}"}}
    assert victim.admin.post("/contacts", {"last_name": "Undisturbed"}, **own).status_code == 201
    assert len(victim.admin.get("/contacts", **own).json["data"]) == 1
    assert neighbour.admin.get("/me", **strange).status_code == 429  # behind the address of the strangers


def test_a_right_that_nobody_knows_is_none(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    with inside(ours.home):
        act_as(SYSTEM)
        role = db().query(Role).filter(Role.name == "sales").one()
        role.permissions = {
            **role.permissions,
            "contacts:read": "galaxy",
            "companies:read": ["all"],
            "x:y": "all",
        }
    assert ours.sales.get("/contacts").status_code == 403
    assert ours.sales.get("/companies").status_code == 403
    assert ours.sales.get("/deals").status_code == 200
    assert neighbour.sales.get("/contacts").status_code == 200


def test_parts_of_a_form_without_a_name_break_nothing(acme: Workspace, neighbour: Workspace) -> None:
    disposition = b"\r\nContent-Disposition: form-data"
    body = b"--x" + disposition + b"\r\n\r\na\r\n--x" + disposition + b'; name="b"\r\n\r\nc\r\n--x--\r\n'
    for workspace in (acme, neighbour):
        answer = workspace.admin.post(
            "/imports",
            data=body,
            content_type="multipart/form-data; boundary=x",
            headers={"Idempotency-Key": "nameless"},
        )
        assert answer.status_code == 422, answer.json
