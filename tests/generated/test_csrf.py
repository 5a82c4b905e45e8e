"""A cookie is not enough: every change takes the token of its session, and what is dangerous a fresh confirmation."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from tenants.foundation.clock import now
from tenants.foundation.identifiers import token_hash
from tenants.identity.recognition import csrf_token
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tests.asking import Examples
from tests.generated.answers import sound
from tests.operations import Document
from tests.workspace import Client, signed_in

SOME_ID = "01900000-0000-7000-8000-000000000000"

pytestmark = pytest.mark.soak


def in_a_browser(examples: Examples) -> Client:
    """The admin, with a session of their own."""
    workspace = examples.workspace
    with inside(workspace.home):
        return replace(workspace.admin, key="", session=signed_in(workspace.home, workspace.admin.user_id))


def test_csrf_nothing_is_changed_by_a_cookie_alone(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    mine = in_a_browser(ours)
    cookie = {"Cookie": f"freehold_session={mine.session}"}
    tokens = {
        "none": {},
        "empty": {"X-CSRF-Token": ""},
        "the neighbour's": {"X-CSRF-Token": csrf_token(in_a_browser(theirs).session)},
        "another session's": {"X-CSRF-Token": csrf_token(in_a_browser(ours).session)},
    }
    writing = [each for each in document.operations if each.method != "get" and not each.public]
    assert len(writing) > 100
    for operation in writing:
        with subtests.test(operation=str(operation)):
            path = operation.path.format(**dict.fromkeys(operation.names_in_path, SOME_ID))
            for what, token in tokens.items():
                answer = mine.flask.open(
                    path, method=operation.method.upper(), json={}, headers=cookie | token
                )
                said = sound(operation, answer).json
                assert (answer.status_code, said["code"]) == (403, "csrf"), f"{operation}, {what}: {said}"
    assert mine.patch("/me", {}).status_code == 200, "with its token the same session may"


def test_step_up_nothing_dangerous_is_done_by_whoever_confirmed_long_ago(
    document: Document, ours: Examples, theirs: Examples, subtests: pytest.Subtests
) -> None:
    for examples in (ours, theirs):
        stale = in_a_browser(examples)
        with inside(examples.workspace.home):
            mine = update(Session).where(Session.hash == token_hash(stale.session))
            db().execute(mine.values(confirmed_at=now() - timedelta(hours=5)))
        dangerous = [each for each in document.operations if each.raw.get("x-step-up")]
        assert len(dangerous) > 40
        for operation in dangerous:
            with subtests.test(operation=str(operation)):
                answer = sound(operation, examples.ask(stale, operation))
                assert (answer.status_code, answer.json["code"]) == (403, "step_up")
