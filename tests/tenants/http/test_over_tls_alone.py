"""Browsers come over TLS alone: they are told so, and a session that they keep goes nowhere else."""

from dataclasses import replace

import pytest
from flask import Flask, Response

from tenants.identity.recognition import Recognition
from tenants.identity.signing_in.cookies import set_cookie
from tests.workspace import Workspace


@pytest.mark.promise("0-20", "1-28")
def test_a_browser_comes_over_tls_alone_and_shows_its_session_nowhere_else(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    house = app.extensions["house"]
    secure = replace(
        house,
        settings=house.settings.model_copy(update={"secure_cookies": True}),
        guard=Recognition("__Host-freehold_session", house.guard.idle),
    )
    for workspace in (acme, neighbour):
        answer = workspace.admin.get("/me")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        given = Response()
        set_cookie(secure, given, workspace.admin.session)
        (cookie,) = given.headers.getlist("Set-Cookie")
        assert cookie.startswith("__Host-freehold_session=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
