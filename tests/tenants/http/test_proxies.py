"""Whose address counts behind a proxy: the caller's, when the operator says that there is one to believe."""

from dataclasses import replace

import pytest
from flask import Flask, request

from tenants.http.application import make_application

SAID = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}


@pytest.mark.parametrize(("trusted", "address"), [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")])
def test_so_many_proxies_are_believed_as_there_are(app: Flask, trusted: int, address: str) -> None:
    house = app.extensions["house"]
    settings = house.settings.model_copy(update={"trusted_proxies": trusted})
    behind = make_application(replace(house, settings=settings), "Behind proxies", [])
    behind.add_url_rule("/address", "address", lambda: f"{request.remote_addr}")
    assert behind.test_client().get("/address", headers=SAID).text == address
