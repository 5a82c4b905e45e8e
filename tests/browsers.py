"""A real browser, and the program served to it on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

CHROMIUM = Path("/usr/bin/chromium")


@contextmanager
def served(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The program at an address with a name, which is its public one meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://localhost:{server.server_port}"
    house = app.extensions["house"]
    settings = house.settings.model_copy(update={"public_url": url})
    monkeypatch.setitem(app.extensions, "house", replace(house, settings=settings))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def chromium() -> Iterator[Any]:
    """A page in headless Chromium. Skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        try:
            yield browser.new_context(locale="en").new_page()
        finally:
            browser.close()
