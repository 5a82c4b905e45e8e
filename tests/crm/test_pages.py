"""The pages people see first: they load nothing from elsewhere and run no script of their own lines."""

import re

import pytest
from flask import Flask

from crm import start_page
from tenants.foundation.settings import Settings

PAGES = ("/", "/api/v1/docs", "/pages/invitation", "/pages/password-reset")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_and_all_its_parts_are_served_from_here(app: Flask, path: str) -> None:
    client = app.test_client()
    page = client.get(path)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    text = page.get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick=", text)
    parts = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert parts
    for part in parts:
        assert part.startswith("/"), f"{part} is somewhere else"
        assert client.get(part).status_code == 200, part


def test_the_start_page_names_the_address_that_people_reach_this_at(app: Flask, settings: Settings) -> None:
    page = Flask("elsewhere")
    start_page.register(page, "https://crm.example.test:9000/<house>")
    for app_of_page, address in (
        (app, settings.public_url),
        (page, "https://crm.example.test:9000/&lt;house&gt;"),
    ):
        assert f'curl -s "{address}/api/v1/' in app_of_page.test_client().get("/").get_data(as_text=True)


def test_the_document_names_permission_purpose_and_id_for_every_operation(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    operations = [
        each for path in document["paths"].values() for name, each in path.items() if name != "parameters"
    ]
    assert len({each["operationId"] for each in operations}) == len(operations) > 20
    assert all(each["x-permission"] and each["x-purpose"] for each in operations)


def test_the_document_begins_with_the_way_in_and_ends_with_the_exit(app: Flask) -> None:
    groups = [each["name"] for each in app.test_client().get("/api/v1/openapi.json").json["tags"]]
    milestones = ["signup", "sessions", "users", "api-keys", "companies", "attachments", "exports", "closing"]
    assert [each for each in groups if each in milestones] == milestones


def test_a_file_that_is_not_part_of_a_page_is_not_served(app: Flask) -> None:
    for path in ("/api/v1/docs/../api_page.py", "/api/v1/docs/LICENSE", "/pages/start_page.py"):
        assert app.test_client().get(path).status_code == 404
