"""A certificate says how many rows there were, and a digest of their ids, however many they are."""

import tracemalloc
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, insert, text

from crm.products.models import Product
from tenants.foundation.tables import Base
from tenants.isolation.door import db, inside
from tenants.lifecycle.keys import inventory
from tenants.lifecycle.keys.inventory import counted, hashed
from tests.workspace import Workspace

PRODUCTS: Table = Base.metadata.tables[Product.__tablename__]
#: Of the five ids 00000000-0000-0000-0000-000000000001 to …5, by sha256sum.
OF_FIVE = "560c85406269dda22eb617989ebcdf57e1d01f8af5a543d85332efef8e205ec1"
OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#: What certificates have been made with: all ids in one text, hashed.
IN_ONE_TEXT = text(
    "select encode(sha256(convert_to(string_agg(id::text, e'\\n' order by id), 'utf8')), 'hex') from products"
)
MANY = 20_000


def products(workspace: Workspace, ids: Sequence[UUID]) -> None:
    with inside(workspace.home):
        db().execute(insert(PRODUCTS), [{"id": each, "name": str(each), "source": "api"} for each in ids])


@pytest.mark.parametrize("at_once", [1, 2, 5, 10_000])
def test_the_digest_of_the_same_rows_is_the_same_however_many_are_read_at_a_time(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    ours = new_workspace()
    products(ours, [UUID(int=number) for number in (3, 5, 1, 4, 2)])
    products(neighbour, [uuid4()])
    monkeypatch.setattr(inventory, "AT_ONCE", at_once)
    with inside(ours.home):
        assert counted(PRODUCTS) == {"count": 5, "ids_sha256": OF_FIVE}
        assert db().scalar(IN_ONE_TEXT) == OF_FIVE
    with inside(neighbour.home):
        theirs = counted(PRODUCTS)
        assert theirs["count"] >= 1
        assert theirs["ids_sha256"] == db().scalar(IN_ONE_TEXT) != OF_FIVE


def test_a_table_without_rows_or_ids_has_no_digest(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    products(neighbour, [uuid4()])
    with inside(ours.home):
        assert counted(PRODUCTS) == {"count": 0}
        assert counted(Base.metadata.tables["user_roles"]).keys() == {"count"}
    assert hashed([]) == (0, OF_NOTHING)


@pytest.mark.soak
def test_the_ids_of_a_table_are_never_all_in_memory(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = new_workspace()
    products(ours, [UUID(int=number) for number in range(MANY)])
    products(neighbour, [uuid4()])
    monkeypatch.setattr(inventory, "AT_ONCE", 100)
    with inside(ours.home):
        counted(Base.metadata.tables["users"])  # what is made once is there
        tracemalloc.start()
        try:
            found = counted(PRODUCTS)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert found == {"count": MANY, "ids_sha256": db().scalar(IN_ONE_TEXT)}
    assert peak_bytes < MANY * len(str(uuid4())) / 3
