"""Our own people ask for access and look at what was left to them, from a terminal."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from crm.cli import main
from crm.cli.visiting import KEY, TOKEN
from tenants.foundation.settings import Settings
from tenants.provisioning.birth import Nursery
from tests.browsers import served
from tests.staff import Bureau, Person, slug_of
from tests.strangers import replying, web_server
from tests.workspace import Workspace, in_both

ASK = ("--resource", "contacts", "--reason", "fault", "--why", "Their list is empty.", "--ticket", "T-7")
PASSWORD = "correct horse 9 battery staple"


@pytest.fixture
def bureau(app: Flask, nursery: Nursery, settings: Settings) -> Bureau:
    return Bureau(app, app.extensions["house"].catalog, nursery, settings)


@pytest.fixture
def rounds(bureau: Bureau) -> Iterator[None]:
    """The scheduler's round, again and again."""
    over = threading.Event()

    def turn() -> None:
        while not over.wait(0.1):
            bureau.settle()

    thread = threading.Thread(target=turn)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def url(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(app, monkeypatch) as address:
        yield address


@pytest.fixture
def tenant(new_workspace: Callable[[], Workspace]) -> Workspace:
    workspace = new_workspace()
    for name in ("Clearname", "Otherone"):
        assert workspace.admin.post("/contacts", {"last_name": name}).status_code == 201
    return workspace


NOBODY: dict[str, str | None] = {KEY: None, TOKEN: None}


def visit(url: str, *words: str, who: Mapping[str, str | None] = NOBODY, given: str = "") -> Result:
    """`freehold visit …` with these variables set."""
    return CliRunner().invoke(main, ["visit", *words, "--url", url], input=given, env={**NOBODY, **who})


def told(done: Result) -> Any:
    """What a command printed as JSON."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def key_of(person: Person) -> str:
    assert person.made.api_key
    return person.made.api_key


def session_of(person: Person) -> dict[str, str | None]:
    return {KEY: person.session}


def asked(url: str, bureau: Bureau, tenant: Workspace, *words: str) -> Any:
    """An ask of Ann's that her manager said yes to, both in a terminal."""
    ask = visit(url, "ask", slug_of(tenant), *ASK, *words, "--json", who={KEY: key_of(bureau.ann)})
    assert told(ask)["state"] == "asked"
    boss = session_of(bureau.boss)
    listed = told(visit(url, "grants", "--json", who=boss))["access_grants"]
    assert told(ask)["id"] in {each["id"] for each in listed}
    assert told(visit(url, "approve", told(ask)["id"], "--json", who=boss))["state"] == "manager_approved"
    return told(ask)


@pytest.mark.promise("1-02")
def test_from_the_ask_to_the_end_of_a_visit(
    bureau: Bureau, tenant: Workspace, neighbour: Workspace, url: str, rounds: None
) -> None:
    ann = session_of(bureau.ann)
    grant = asked(url, bureau, tenant)
    assert (grant["masked"], grant["access"], grant["hours"]) == (True, "read", 1)
    refused = visit(url, "open", grant["id"], who=ann)
    assert refused.exit_code == 1
    assert tenant.admin.in_person.put(f"/access-grants/{grant['id']}/approval", {}).status_code == 200
    opened = told(visit(url, "open", grant["id"], "--json", who=ann))
    token = {TOKEN: opened["token"]}
    found = told(visit(url, "look", "contacts", "--filter", "sort=-created_at", who=token))["data"]
    assert len(found) == 2
    assert "Clearname" not in json.dumps(found)
    one = told(visit(url, "look", "contacts", found[0]["id"], who=token))
    assert one["id"] == found[0]["id"]
    nowhere = visit(url, "look", "users", who=token)
    assert (nowhere.exit_code, nowhere.stdout) == (1, "")
    log = tenant.admin.get("/access-log").json["data"]
    assert {each["visit_id"] for each in log} == {opened["visit"]}
    ended = told(visit(url, "end", opened["visit"], "--json", who=ann))
    assert ended["state"] == "ended"
    assert visit(url, "look", "contacts", who=token).exit_code == 1
    assert in_both("/access-log", tenant.admin, neighbour.admin) == []


def test_a_visit_that_changes_says_what_for(
    bureau: Bureau, tenant: Workspace, neighbour: Workspace, url: str, rounds: None
) -> None:
    ann = session_of(bureau.ann)
    grant = asked(url, bureau, tenant, "--write", "--clear", "--hours", "2")
    assert (grant["masked"], grant["access"], grant["hours"]) == (False, "write", 2)
    assert tenant.admin.in_person.put(f"/access-grants/{grant['id']}/approval", {}).status_code == 200
    opened = told(visit(url, "open", grant["id"], "--intent", "Mend a name.", "--json", who=ann))
    (seen,) = tenant.admin.get("/access-visits").json["data"]
    assert (seen["id"], seen["access"], seen["intent"]) == (opened["visit"], "write", "Mend a name.")
    assert in_both("/access-visits", tenant.admin, neighbour.admin) == []
    told(visit(url, "end", opened["visit"], "--json", who=ann))


def test_an_ask_is_taken_back(bureau: Bureau, tenant: Workspace, neighbour: Workspace, url: str) -> None:
    ann = {KEY: key_of(bureau.ann)}
    grant = asked(url, bureau, tenant)
    assert (
        told(visit(url, "refuse", grant["id"], "--why", "Found it.", "--json", who=ann))["state"] == "refused"
    )
    assert "refused" in visit(url, "grants", who=ann).stdout
    assert neighbour.admin.get(f"/access-grants/{grant['id']}").status_code == 404


def test_staff_sign_in_with_password_and_code(
    bureau: Bureau, tenant: Workspace, neighbour: Workspace, url: str
) -> None:
    person = bureau.hire("support", bureau.boss, PASSWORD)
    assert person.made.totp
    who = ("--email", person.made.staff.email)
    wrong = visit(url, "grants", *who, "--code", "000000", given=f"{PASSWORD}\n")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    code = pyotp.parse_uri(person.made.totp).now()
    right = visit(url, "grants", *who, "--code", code, "--json", given=f"{PASSWORD}\n")
    assert person.made.staff.email not in {each["staff_email"] for each in told(right)["access_grants"]}


def test_a_session_in_a_terminal_lasts_for_more_than_one_command(
    bureau: Bureau, tenant: Workspace, neighbour: Workspace, url: str
) -> None:
    person = bureau.hire("support", bureau.boss, PASSWORD)
    assert person.made.totp
    code = pyotp.parse_uri(person.made.totp).now()
    begun = visit(
        url, "sign-in", "--email", person.made.staff.email, "--code", code, "--json", given=f"{PASSWORD}\n"
    )
    session = {KEY: told(begun)["token"]}
    grant = told(visit(url, "ask", slug_of(tenant), *ASK, "--json", who=session))
    boss_by_key = visit(url, "approve", grant["id"], who={KEY: key_of(bureau.boss)})
    assert boss_by_key.exit_code == 1
    assert "sign in with password and code" in boss_by_key.stderr
    assert told(visit(url, "grants", "--json", who=session))["access_grants"][0]["state"] == "asked"
    assert in_both("/access-grants", tenant.admin, neighbour.admin) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("grants",), "Say who you are"),
        (("look", "contacts"), f"{TOKEN} is not set"),
        (("look", "contacts", "--filter", "name"), "NAME=VALUE"),
    ],
)
def test_what_is_missing_is_said(
    url: str, neighbour: Workspace, words: tuple[str, ...], sentence: str
) -> None:
    done = visit(url, *words, who={TOKEN: "fhv_none"} if "--filter" in words else NOBODY)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert neighbour.admin.get("/access-visits").status_code == 200


def test_no_terminal_gets_in_without_a_token_of_its_own(
    url: str, tenant: Workspace, neighbour: Workspace
) -> None:
    for stranger in ("fhv_none", tenant.admin.key or "", "ä"):
        done = visit(url, "look", "contacts", who={TOKEN: stranger})
        assert (done.exit_code, done.stdout) == (1, "")
    assert in_both("/access-log", tenant.admin, neighbour.admin) == []


def test_a_key_and_a_password_go_nowhere_else_than_they_were_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ann password of-another-house\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with web_server(replying(200, b"{}")) as thief:
        there = replying(307, Location=f"http://127.0.0.1:{thief.port}/staff/v1/sessions")
        with web_server(there) as ours:
            url = f"http://127.0.0.1:{ours.port}"
            for done in (
                visit(url, "grants", who={KEY: "fst_key"}),
                visit(url, "grants", "--email", "ann@example.org", "--code", "123456", given=PASSWORD),
            ):
                assert done.exit_code == 1
                assert "sends us elsewhere" in done.output
                assert "Traceback" not in done.output
    assert thief.requests == []
    assert [each.headers["Authorization"] for each in ours.requests] == ["Bearer fst_key", None]
