"""An uploaded table, and the rows of it that were rejected, lie nowhere in clear while they are on their way."""

from collections.abc import Callable

import pytest

from tenants.foundation import sealed_spools
from tests.spooled import OnDisk
from tests.uploads import brought_in
from tests.workspace import Workspace

ROW = "Zilpzalp,Zilpzalp is no address\n"


def test_no_row_of_a_table_can_be_read_from_the_disk(
    ours: Workspace, neighbour: Workspace, run_jobs: Callable[[], int], on_disk: OnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(sealed_spools, "IN_MEMORY", 16)
    done = brought_in(ours.admin, run_jobs, f"Surname,Email\n{ROW}", "contacts")
    path = f"/imports/{done['id']}/rejected-rows"
    shown = ours.admin.get(path)
    assert b"Zilpzalp,Zilpzalp is no address,Email: Not a valid email address." in shown.data
    assert neighbour.admin.get(path).status_code == 404
    arrived, rejected = on_disk()
    assert (len(arrived), len(rejected)) == (len(f"Surname,Email\n{ROW}"), len(shown.data))
    assert b"Zilpzalp" not in arrived + rejected
