"""A bundle of one installation is a tenant of another one, which shares no key, no catalog and no storage with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from tenants.attachments.models import file_of
from tenants.catalog.registry import Home
from tenants.foundation.encryption import Context, DataKey, Unreadable, unseal
from tenants.foundation.settings import Settings
from tenants.isolation.door import inside
from tenants.isolation.files import files
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyName, KeyUnopened
from tenants.lifecycle.keys.versions import key_versions
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tests.attaching import attached
from tests.elsewhere import Elsewhere
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
SECRET = "Zaunkönig-4711"
CONTENT = b"Zilpzalp: what was agreed on.\n" * 1000


@dataclass
class Source:
    """A tenant here with a sealed field and a file, and another one beside it."""

    tenant: Workspace
    contact: str
    attachment: str

    @property
    def home(self) -> Home:
        return self.tenant.home


@pytest.fixture
def source(new_workspace: Callable[[], Workspace]) -> Source:
    tenant = new_workspace()
    company = tenant.admin.post("/companies", {"name": "Leaves, too"}).json["id"]
    said = {"last_name": "Leaves", "national_id": SECRET, "company_id": company}
    contact = tenant.admin.post("/contacts", said).json["id"]
    return Source(tenant, contact, attached(tenant.admin, "contacts", contact, content=CONTENT)["id"])


@pytest.fixture
def another(elsewhere: Callable[[], Elsewhere]) -> Elsewhere:
    """An installation with everything of its own."""
    place = elsewhere()
    place.changes["FREEHOLD_KEY_FILE"] = str(place.folder / "key")
    place.told("migrate")
    return place


def sealed_there(place: Elsewhere, tenant_id: UUID, contact: str) -> bytes:
    """The field as it is kept there."""
    ((value,),) = place.rows(
        "select national_id from contacts where id = %s", contact, schema=f"t_{tenant_id.hex}"
    )
    return bytes(value)


@pytest.mark.promise("EXP-4")
def test_a_tenant_comes_to_another_installation_equal_and_is_sealed_for_that_one(
    source: Source, neighbour: Workspace, another: Elsewhere, tmp_path: Path
) -> None:
    before, first, second = content_of(source.home), tmp_path / "first.zip", tmp_path / "second.zip"
    take_out(source.home, first, Format.CSV)
    arrived = UUID(another.told("tenant", "import", str(first), "--slug", "arrived")["tenant"]["id"])
    another.told("tenant", "export", "arrived", "--to", str(second), "--format", "jsonl")
    report = verify(second)
    assert report.holds, report.findings
    assert differences(report.content, before) == []
    assert another.rows("select id from tenants where state = 'active'") == [(arrived,)]
    assert arrived not in (source.home.id, neighbour.home.id)

    ((version, wrapped),) = another.rows(
        "select version, wrapped from tenant_keys where tenant_id = %s", arrived
    )
    sealed, name = sealed_there(another, arrived, source.contact), KeyName(arrived, version)
    theirs = DataKey(version, LocalKeyFile(another.folder / "key").unwrap(bytes(wrapped), name))
    place = Context(arrived, "contacts", "national_id", UUID(source.contact))
    assert unseal(theirs, sealed, place).decode() == SECRET
    with pytest.raises((Unreadable, KeyUnopened)):
        key_versions().wrapper.unwrap(bytes(wrapped), name)

    ours = file_of(UUID(source.attachment))
    there = (another.folder / "storage" / f"t_{arrived.hex}" / ours).read_bytes()
    with inside(source.home), files().open_stream(ours) as chunks:
        assert there != b"".join(chunks)
    assert CONTENT[:30] not in there


def test_with_the_key_of_where_it_came_from_nothing_of_it_opens_there(
    source: Source, neighbour: Workspace, another: Elsewhere, settings: Settings, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    take_out(source.home, first, Format.JSONL)
    another.told("tenant", "import", str(first), "--slug", "arrived")
    another.changes["FREEHOLD_KEY_FILE"] = str(settings.key_file)
    refused = another.run("tenant", "export", "arrived", "--to", str(second))
    assert (refused.returncode, second.exists()) == (1, False)
    assert not any(word in refused.stdout + refused.stderr for word in (SECRET, "Traceback"))
    assert neighbour.admin.get(f"/contacts/{source.contact}").status_code == 404
    assert source.tenant.admin.get(f"/contacts/{source.contact}").json["national_id"] == SECRET
