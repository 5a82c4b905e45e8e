"""Who archives a tenant and who wakes it: an admin in person, and the link in an admin's mail."""

from email import message_from_string, policy
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.lifecycle import attempts
from tenants.lifecycle.archives.keeping import ask_to_archive, go_on, go_on_everywhere
from tenants.lifecycle.archives.links import post_links
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Attempt, Works
from tenants.lifecycle.attempts import Told
from tenants.provisioning.birth import Nursery
from tests.settled import settle
from tests.tenants.lifecycle.archives.archived import WHY
from tests.workspace import Workspace, in_both

pytestmark = pytest.mark.soak


def delivered(settings: Settings) -> dict[str, str]:
    """The text of the mails about an archive that somebody asked after, by their address."""
    found = {}
    for file in (settings.data_dir / "mail").glob("*.eml"):
        mail = message_from_string(file.read_text(), policy=policy.default)
        if mail["Subject"].endswith("is archived"):
            found[str(mail["To"])] = mail.get_content()
    return found


@pytest.mark.promise("4-20")
def test_an_admins_address_wakes_an_archived_tenant_once(
    app: Flask, settings: Settings, ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery
) -> None:
    catalog, slug = works.catalog, ours.admin.get("/me").json["tenant"]["slug"]
    nursery.note_email(ours.home, f"sales@{slug}.test")
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    flask = app.test_client(use_cookies=False)
    asked = (f"ada@{slug}.test", f"sales@{slug}.test", "ada@neighbour.test", "nobody@x.test")
    for address in asked:
        assert flask.post("/api/v1/archives/links", json={"email": address}).status_code == 202
    settle(app)
    post_links(catalog)
    letters = {to: each for to, each in delivered(settings).items() if to in asked}
    assert letters.keys() == {f"ada@{slug}.test", f"sales@{slug}.test"}
    assert "One of its admins can wake it" in letters[f"sales@{slug}.test"]
    token = letters[f"ada@{slug}.test"].partition("/pages/thaw#")[2].split()[0]
    woken = flask.post("/api/v1/archives/thaws", json={"token": token})
    assert (woken.status_code, woken.json["tenant"], woken.json["state"]) == (202, slug, "thawing")
    go_on(works, archive_id)
    assert flask.post("/api/v1/archives/thaws", json={"token": token}).json["state"] == "active"
    go_on(works, ask_to_archive(catalog, ours.home.id, WHY))
    assert flask.post("/api/v1/archives/thaws", json={"token": token}).json["state"] == "archived"
    assert flask.post("/api/v1/archives/thaws", json={"token": "fht_x"}).json["code"] == "gone"
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_link_of_an_earlier_time_wakes_nobody_who_is_put_away_again(
    app: Flask, settings: Settings, ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    """Its admin may have been let go in between."""
    catalog, slug = works.catalog, ours.admin.get("/me").json["tenant"]["slug"]
    flask, tokens = app.test_client(use_cookies=False), []
    go_on(works, ask_to_archive(catalog, ours.home.id, WHY))
    for _ in range(2):
        assert flask.post("/api/v1/archives/links", json={"email": f"ada@{slug}.test"}).status_code == 202
        settle(app)
        post_links(catalog)
        letter = delivered(settings)[f"ada@{slug}.test"]
        tokens.append(letter.partition("/pages/thaw#")[2].split()[0])
        for file in (settings.data_dir / "mail").glob("*.eml"):
            file.unlink()
    older, used = tokens
    assert flask.post("/api/v1/archives/thaws", json={"token": used}).status_code == 202
    go_on_everywhere(works)
    assert ours.admin.get("/contacts").status_code == 200
    go_on(works, ask_to_archive(catalog, ours.home.id, WHY))
    refused = flask.post("/api/v1/archives/thaws", json={"token": older})
    assert (refused.status_code, refused.json["code"]) == (409, "gone")
    assert ours.admin.get("/contacts").json["code"] == "tenant_archived"
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("4-20")
def test_whoever_woke_it_sees_how_far_it_is_while_it_is_filled(
    app: Flask, settings: Settings, ours: Workspace, neighbour: Workspace, works: Works
) -> None:
    catalog, slug = works.catalog, ours.admin.get("/me").json["tenant"]["slug"]
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    flask = app.test_client(use_cookies=False)
    assert flask.post("/api/v1/archives/links", json={"email": f"ada@{slug}.test"}).status_code == 202
    settle(app)
    post_links(catalog)
    token = delivered(settings)[f"ada@{slug}.test"].partition("/pages/thaw#")[2].split()[0]

    def looked() -> dict[str, Any]:
        return dict(flask.post("/api/v1/archives/thaws", json={"token": token}).json)

    rows = looked()["total"]
    assert rows > 0
    seen: list[dict[str, Any]] = []
    original = Attempt.tell

    def watched(attempt: Attempt, phase: str) -> Told:
        told, looks = original(attempt, phase), iter((looked,))

        def look_once_rows_are_done(table: str, done: int) -> None:
            told(table, done)
            seen.extend(each() for each in (looks if done else ()))

        return look_once_rows_are_done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Attempt, "tell", watched)
        patched.setattr(attempts, "SHOWN_EVERY_SECONDS", 0.0)
        go_on(works, archive_id)
    assert {each["tenant"] for each in seen} == {slug}
    assert {(each["state"], each["total"], each["error"]) for each in seen} == {("thawing", rows, None)}
    filling = seen[-1]
    assert filling["phase"] == "filling"
    assert 0 < filling["done"] <= rows
    there = looked()
    assert (there["state"], there["phase"], there["done"]) == ("active", None, None)
    assert flask.post("/api/v1/archives/thaws", json={"token": "fht_x"}).json["code"] == "gone"
    assert neighbour.admin.get("/contacts").status_code == 200


def test_an_admin_in_person_archives_and_nobody_else(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog
) -> None:
    body = {"reason": "We pause for the winter."}
    assert ours.manager.in_person.post("/archives", body).status_code == 403
    assert ours.admin.post("/archives", body).json["code"] == "needs_session"
    asked = ours.admin.in_person.post("/archives", body)
    assert (asked.status_code, asked.json["step"]) == (202, "freezing")
    assert ours.admin.in_person.post("/archives", body).status_code in (409, 503)
    assert in_both("/archives", ours.admin, neighbour.admin) == []
    go_on_everywhere(works)
    with catalog.transaction() as session:
        tenant = session.get_one(Tenant, ours.home.id)
        archive = session.scalars(select(Archive).where(Archive.tenant_id == ours.home.id)).one()
        assert (tenant.state, archive.step, archive.reason) == (State.ARCHIVED, Step.KEPT, body["reason"])
