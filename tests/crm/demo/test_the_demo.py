"""The demo: two tenants with believable data, loaded once, with a way in for every role."""

import pytest
from flask import Flask

from crm.demo.loading import load
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace


@pytest.mark.soak
def test_everybody_of_the_demo_signs_in_and_sees_their_own_tenant(
    app: Flask, nursery: Nursery, acme: Workspace
) -> None:
    found = load(nursery)
    again = load(nursery)
    assert [each.email for each in again] == [each.email for each in found]
    assert all(each.api_key is None for each in again)
    for each in found:
        browser = app.test_client()
        answer = browser.post("/api/v1/sessions", json={"email": each.email, "password": each.password})
        assert answer.status_code == 201, each
        assert browser.get("/api/v1/me").json["tenant"]["slug"] == each.tenant
        assert browser.get("/api/v1/deals?limit=5").json["data"], each
    keys = {each.tenant: each.api_key for each in found if each.api_key}
    assert len(keys) == 2
    for tenant, other in (("harbour", "nordlicht"), ("nordlicht", "harbour")):
        headers = {"Authorization": f"Bearer {keys[tenant]}"}
        deal = app.test_client().get("/api/v1/deals?limit=1", headers=headers).json["data"][0]["id"]
        neighbours = {"Authorization": f"Bearer {keys[other]}"}
        assert app.test_client().get(f"/api/v1/deals/{deal}", headers=neighbours).status_code == 404
        assert acme.admin.get(f"/deals/{deal}").status_code == 404
