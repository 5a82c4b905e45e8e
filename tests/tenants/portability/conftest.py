"""What several tests of copies ask for."""

from dataclasses import replace

import pytest
from flask import Flask

from tenants.mail import postmen
from tests.mails import Letterbox


@pytest.fixture
def letterbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Letterbox:
    """Gets every mail that workers send meanwhile."""
    made = Letterbox()
    monkeypatch.setattr(postmen, "_post", [replace(postmen.post_office(), postman=made)])
    return made
