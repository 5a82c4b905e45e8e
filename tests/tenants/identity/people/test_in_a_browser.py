"""Chromium follows the link of an invitation: its page says what is wrong, and then lets somebody in."""

import secrets
from dataclasses import replace

import pytest
from flask import Flask

from tenants.mail import postmen
from tests.browsers import chromium, served
from tests.mails import posted
from tests.workspace import Workspace

PASSWORD = "blue kettle under seven stairs"


@pytest.mark.soak
def test_somebody_comes_in_by_the_link_of_their_mail(
    app: Flask, acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = f"{secrets.token_hex(6)}@people.test"
    with served(app, monkeypatch) as url, chromium() as page:
        monkeypatch.setattr(postmen, "_post", [replace(postmen.post_office(), public_url=url)])
        made = acme.admin.in_person.post("/invitations", {"email": email, "name": "Nora New"})
        assert made.status_code == 201, made.json
        (mail,) = posted(acme, email)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))

        page.goto(next(word for word in mail.text.split() if word.startswith(url)))
        for password, said in (("password1", "easy to guess"), (PASSWORD, f"sign in to Acme as {email}")):
            page.get_by_label("New password").fill(password)
            page.get_by_role("button", name="Accept the invitation").click()
            page.get_by_text(said).wait_for()

        assert complaints == []
        assert not [each for each in asked if mail.token in each.partition("#")[0]]
        page.goto(f"{url}/pages/invitation")
        page.get_by_text("This link is not whole.").wait_for()
        assert page.locator("form").is_hidden()
    assert acme.admin.get(f"/users/{made.json['user_id']}").json["state"] == "active"
    assert neighbour.admin.get(f"/users/{made.json['user_id']}").status_code == 404
