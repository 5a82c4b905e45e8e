"""Accounts of our own people are made and ended by whoever runs the program."""

import json
import os
import subprocess
import sys

import pytest

from tests.crm.cli.test_refusals import variables

pytestmark = pytest.mark.soak


@pytest.fixture
def staff(settings, tmp_path):
    env = {**os.environ, **variables(settings), "FREEHOLD_STAFF_DATABASE_URL": settings.staff_database_url}

    def run(*arguments: str, status: int = 0) -> dict:
        command = [
            sys.executable,
            "-m",
            "crm.cli",
            "staff",
            *arguments,
            "--data-dir",
            str(tmp_path),
            "--json",
        ]
        done = subprocess.run(command, env=env, capture_output=True, check=False, text=True)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout) if done.stdout else {"said": done.stderr}

    return run


def test_an_account_is_made_shown_and_ended(staff, app, acme, neighbour):
    made = staff("create", "cli@freehold.test", "--role", "support", "--api-key")
    assert (
        made["staff"].items() >= {"email": "cli@freehold.test", "role": "support", "state": "active"}.items()
    )
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    client = app.test_client()
    assert client.get("/staff/v1/me", headers=headers).json["id"] == made["staff"]["id"]
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    again = staff("create", "CLI@freehold.test", "--role", "legal", status=1)
    assert "already" in again["said"]
    ended = staff("deactivate", "cli@freehold.test")
    assert ended["staff"]["state"] == "inactive"
    assert client.get("/staff/v1/me", headers=headers).status_code == 401
