"""An app is connected: its user says yes on a page, and from then on it acts as them, no further."""

import json

from tests.apps import BACK, parameters, register
from tests.workspace import Workspace


def test_an_app_acts_as_its_user_after_they_allowed_it(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read", "contacts:create")
    page = app.page(acme.sales)
    assert page.status_code == 200
    assert "See contacts" in page.get_data(as_text=True)

    back = app.decided(acme.sales)
    said = parameters(back)
    assert back.headers["Location"].startswith(f"{BACK}?")
    assert (said["state"], said["iss"]) == ("as it was", "http://127.0.0.1:8000")

    tokens = app.exchange(said["code"]).json
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "contacts:create contacts:read"
    made = app.post("/contacts", tokens["access_token"], {"last_name": "Weber"})
    assert made.status_code == 201
    assert made.json["owner_id"] == str(acme.sales.user_id)
    assert made.json["source"] == "api"
    assert neighbour.admin.get(f"/contacts/{made.json['id']}").status_code == 404
    assert app.get("/deals", tokens["access_token"]).status_code == 403

    renewed = app.refresh(tokens["refresh_token"]).json
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert app.get("/contacts", renewed["access_token"]).status_code == 200


def test_a_no_leads_back_without_a_code(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read")
    said = parameters(app.decided(acme.sales, "deny"))
    assert said == {
        "error": "access_denied",
        "error_description": said["error_description"],
        "state": "as it was",
        "iss": "http://127.0.0.1:8000",
    }
    assert app.page(neighbour.sales).status_code == 400


def test_an_app_with_a_user_of_its_own_acts_by_itself(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read", redirect_uris=[], user_id=str(acme.sales.user_id))
    answer = app.asks_token(grant_type="client_credentials")
    assert answer.status_code == 200, answer.json
    assert "refresh_token" not in answer.json
    assert app.get("/contacts", answer.json["access_token"]).status_code == 200
    assert app.get("/me", answer.json["access_token"]).json["user"]["id"] == str(acme.sales.user_id)
    theirs = [each["id"] for each in neighbour.admin.get("/connected-apps").json["data"]]
    assert app.id not in json.dumps(theirs)
