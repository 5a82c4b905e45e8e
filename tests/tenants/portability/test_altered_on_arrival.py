"""A tenant is not brought in when one value in its tables is not the one that its bundle holds."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from tenants.catalog.registry import Home
from tenants.foundation.encryption import Context
from tenants.foundation.errors import Conflict
from tenants.isolation.door import here
from tenants.isolation.sealing import sealed_text
from tenants.isolation.whole_tables import rows_into
from tenants.portability import filling
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tests.tenants.portability.left_behind import is_nowhere
from tests.workspace import Workspace

pytestmark = pytest.mark.promise("EXP-4")
OF_THEN = Path(__file__).parent / "of_then" / "0001.zip"
Alter = Callable[[pytest.MonkeyPatch], None]


def a_plain_value(patched: pytest.MonkeyPatch) -> None:
    """The company Parent gets another name."""

    @contextmanager
    def altering(table: Table, columns: Any) -> Iterator[Callable[[bytes], None]]:
        with rows_into(table, columns) as write:
            yield lambda lines: write(
                lines.replace(b"Parent", b"Pareil") if table.name == "companies" else lines
            )

    patched.setattr(filling, "rows_into", altering)


def a_sealed_value(patched: pytest.MonkeyPatch) -> None:
    """What is sealed in contacts becomes what it would be from right to left."""

    def altering(text: str, place: Context) -> bytes:
        return sealed_text(text[::-1] if place.table == "contacts" else text, place)

    patched.setattr(filling, "sealed_text", altering)


ALTERED = {"a plain value": (a_plain_value, "companies"), "a sealed value": (a_sealed_value, "contacts")}


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Home]:
    """The tenants that were begun to be filled."""
    homes: list[Home] = []
    fill = filling.Filling.fill

    def noted(self: filling.Filling) -> None:
        homes.append(here().home)
        fill(self)

    monkeypatch.setattr(filling.Filling, "fill", noted)
    return homes


@pytest.fixture
def of_today(new_workspace: Callable[[], Workspace], tmp_path: Path) -> Path:
    tenant, file = new_workspace(), tmp_path / "bundle.zip"
    tenant.admin.post("/companies", {"name": "Parent"})
    tenant.admin.post("/contacts", {"last_name": "Ng", "national_id": "AB 12 34 56 C"})
    take_out(tenant.home, file, Format.CSV)
    return file


@pytest.fixture(params=["today", pytest.param("then", marks=pytest.mark.soak)])
def bundle(request: pytest.FixtureRequest, of_today: Path) -> Path:
    """A bundle of this revision, and one of the first."""
    return of_today if request.param == "today" else OF_THEN


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED.keys())
def test_what_was_altered_on_its_way_into_the_tables_leaves_no_tenant(
    nursery: Nursery, neighbour: Workspace, bundle: Path, begun: list[Home], altered: tuple[Alter, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (alter, table), slug, others = altered, f"altered-{secrets.token_hex(4)}", content_of(neighbour.home)
    with monkeypatch.context() as patched:
        alter(patched)
        with pytest.raises(Conflict, match=f"not what the bundle holds, in {table}. Nothing was kept"):
            bring_in(nursery, bundle, slug)
    assert len(begun) == 1
    is_nowhere(nursery, slug, begun)
    arrived = bring_in(nursery, bundle, slug)
    assert arrived.home.id != begun[0].id
    assert differences(content_of(neighbour.home), others) == []
