"""A process that is killed at any step of attaching and removing: no row without its file, and no file for ever."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tenants.attachments import sweeping
from tenants.attachments.jobs import sweep_attachments
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings, env_name
from tests.attaching import CONTENT, NewWorkspace, attached, listed, stored
from tests.chores import order
from tests.jobs import RunJobs
from tests.workspace import Workspace

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[3]
#: What the process does, with `die` in the place of one step.
SCRIPT = """
import io, os, signal, sys
from uuid import UUID
from werkzeug.datastructures import FileStorage
from crm.app import open_house
from tenants.access.caller import act_as
from tenants.attachments import adding, ending
from tenants.attachments.permissions import EDIT_ATTACHMENTS
from tenants.foundation.settings import Settings
from tenants.identity.standings import standing_of
from tenants.isolation.door import inside

def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(io.BytesIO):
    def read(self, size=-1):
        return super().read(100) or die()

step, tenant, user, about = sys.argv[1], *map(UUID, sys.argv[2:])
home = open_house(Settings.read()).catalog.home(tenant)
if step == "row":
    adding._attached = die
if step == "file":
    ending.let_go = die
with inside(home):
    act_as(standing_of(user, "session", None), permission=EDIT_ATTACHMENTS)
    if step == "file":
        ending.detach(about)
    else:
        content = b"x" * 1000
        stream = Dying(content) if step == "upload" else io.BytesIO(content)
        adding.attach("contacts", about, FileStorage(stream, "terms.txt"), 10_000)
        die()
"""


def killed(settings: Settings, step: str, workspace: Workspace, about: str) -> None:
    """Run it until it is killed before a step: the end of the upload, the row, the commit, or the removal of the file."""
    values = settings.model_dump(exclude={"cells", "data_dir"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    environment = {**os.environ, **given, "FREEHOLD_DATA_DIR": str(settings.data_dir)}
    said = [step, str(workspace.home.id), str(workspace.admin.user_id), about]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *said], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("step", "left"), [("upload", 0), ("row", 1), ("commit", 1), ("file", 1)])
def test_nothing_half_there_is_seen_and_nothing_stays(  # noqa: PLR0917 - the parts of its world
    new_workspace: NewWorkspace, neighbour: Workspace, settings: Settings, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch, app: Flask, step: str, left: int,
) -> None:  # fmt: skip
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Killed"}).json["id"]
    kept = attached(tenant.admin, "contacts", record)["id"]
    about = attached(tenant.admin, "contacts", record)["id"] if step == "file" else record
    killed(settings, step, tenant, about)
    assert listed(tenant.admin, record) == [kept]
    assert len(stored(tenant)) == 1 + left
    order(tenant.home, sweep_attachments)
    run_jobs()
    assert len(stored(tenant)) == 1 + left
    monkeypatch.setattr(sweeping, "now", lambda: now() + timedelta(days=2))
    order(tenant.home, sweep_attachments)
    run_jobs()
    assert stored(tenant) == [f"attachments/{kept}"]
    assert tenant.admin.get(f"/attachments/{kept}/download").data == CONTENT
    assert neighbour.admin.get(f"/attachments/{kept}").status_code == 404
