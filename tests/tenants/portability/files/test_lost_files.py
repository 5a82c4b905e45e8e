"""Files that storage lost or altered, and files of a bundle that breaks off on its way in."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.door import inside
from tenants.isolation.files import files, store_sealed
from tenants.isolation.storage import NotStored
from tenants.portability.arriving import bring_in
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.attaching import alter, attached
from tests.tenants.portability.files.contents import contents, names, opened
from tests.workspace import Workspace


def test_a_bundle_that_breaks_off_on_its_way_in_leaves_no_file(
    bundle: Path, nursery: Nursery, neighbour: Workspace, settings: Settings
) -> None:
    storage = Path(unquote(urlsplit(settings.storage).path))
    before, theirs = set(storage.rglob("attachments/*")), contents(neighbour.home)
    stored: list[Path] = []

    def tell(phase: str, table: str, count: int) -> None:
        if (phase, table, count) == ("import", "attachments", 2) and len(left()) == 2:
            stored.extend(left())
            raise KeyboardInterrupt

    def left() -> set[Path]:
        return set(storage.rglob("attachments/*")) - before

    with pytest.raises(KeyboardInterrupt):
        bring_in(nursery, bundle, "broken-off", tell=tell)
    assert len(stored) == 2
    assert nursery.sweep() >= 1
    assert left() == set()
    assert contents(neighbour.home) == theirs


def test_what_storage_lost_is_declared_and_keeps_nothing_else_back(
    source: Workspace, new_workspace: Callable[[], Workspace], nursery: Nursery, tmp_path: Path
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Loses"}).json["id"]
    lost, kept = (
        attached(tenant.admin, "contacts", record, name=f"{each}.txt")["id"] for each in ("lost", "kept")
    )
    with inside(tenant.home):
        files().delete(f"attachments/{lost}")
    file = tmp_path / "bundle.zip"
    take_out(tenant.home, file, Format.CSV)
    report = verify(file)
    assert report.holds, report.findings
    assert report.described.missing_files == (lost,)
    third = bring_in(nursery, file, "lost-one").home
    with inside(third):
        assert opened(f"attachments/{kept}")
        with pytest.raises(NotStored):
            opened(f"attachments/{lost}")
    assert tenant.admin.get(f"/attachments/{lost}/download").status_code == 410
    assert contents(source.home) == names()


def test_a_file_that_was_altered_in_storage_stops_the_bundle(
    source: Workspace, new_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Altered"}).json["id"]
    made = attached(tenant.admin, "contacts", record)["id"]
    alter(tenant, f"attachments/{made}")
    file = tmp_path / "bundle.zip"
    with pytest.raises(Conflict, match=made):
        take_out(tenant.home, file, Format.CSV)
    assert not file.exists()
    with inside(tenant.home):
        store_sealed(f"attachments/{made}", [b"sealed by us, and another file"])
    with pytest.raises(Conflict, match=made):
        take_out(tenant.home, file, Format.CSV)
    assert tenant.admin.delete(f"/attachments/{made}").status_code == 204
    take_out(tenant.home, file, Format.CSV)
    assert verify(file).holds
    assert contents(source.home) == names()
