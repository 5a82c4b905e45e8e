"""Chromium shows the consent page under the strict policy, and goes on to the app that its user allowed."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.apps import register
from tests.browsers import chromium, served
from tests.workspace import Workspace


class Back(BaseHTTPRequestHandler):
    """A native app that waits for its user on loopback (RFC 8252, 7.3)."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Back in the app")

    def log_message(self, *_said: object) -> None:
        """Nothing: the code is in the address."""


@pytest.fixture
def native() -> Iterator[str]:
    listening = HTTPServer(("127.0.0.1", 0), Back)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/back"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.soak
def test_chromium_connects_an_app(
    app: Flask, acme: Workspace, neighbour: Workspace, native: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "Mail <b>list</b>"
    made = register(
        acme, "contacts:read", name=name, confidential=False, redirect_uris=["http://127.0.0.1/back"]
    )
    made.back = native
    with served(app, monkeypatch) as url, chromium() as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        address = f"{url}/oauth/authorize?{urlencode(made.asks())}"
        page.goto(address)
        assert page.locator("form").count() == 0, "nobody is signed in"

        theirs = {"name": "freehold_session", "value": neighbour.sales.session, "url": url}
        page.context.add_cookies([theirs])
        page.goto(address)
        assert page.locator("form").count() == 0, "the app is not of their workspace"

        page.context.add_cookies([theirs | {"value": acme.sales.session}])
        complaints.clear()
        for button, word in (("Don't allow", "error=access_denied"), ("Allow", "code=")):
            page.goto(address)
            assert page.locator("h1").inner_text() == f"Connect {name}?"
            assert page.locator("li").all_inner_texts() == ["See contacts"]
            assert page.evaluate("getComputedStyle(document.body).display") == "grid", "the style is missing"
            page.get_by_role("button", name=button, exact=True).click()
            page.wait_for_url(f"{native}?**")
            assert word in page.url
        assert complaints == []
        code = dict(part.split("=", 1) for part in page.url.partition("?")[2].split("&"))["code"]
    tokens = made.exchange(code).json
    assert made.get("/contacts", tokens["access_token"]).status_code == 200
