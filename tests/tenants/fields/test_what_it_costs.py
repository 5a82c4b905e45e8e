"""Fields of one's own cost whoever has none nothing: no question is asked for them, and none twice of who has."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from tenants.foundation.afterwards import afterwards
from tenants.isolation.trips import Statement, Trips
from tests.tenants.fields.defined import define
from tests.workspace import Client, Workspace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Iterator[list[str]]]:
    """Everything that goes to the database in a block, as texts."""
    sent: list[str] = []
    go = Trips.go

    def noting(trips: Trips, *statements: Statement) -> Sequence[object]:
        sent.extend(each.sql for each in statements)
        return go(trips, *statements)

    monkeypatch.setattr(Trips, "go", noting)

    @contextmanager
    def block() -> Iterator[list[str]]:
        sent.clear()
        yield sent

    return block


def used(client: Client) -> str:
    """A contact is made, read, listed and changed."""
    path = f"/contacts/{client.post('/contacts', {'last_name': 'Plain'}).json['id']}"
    for answer in (
        client.get(path),
        client.get("/contacts?last_name=Plain"),
        client.patch(path, {"city": "Rome"}),
    ):
        assert answer.status_code == 200
    return path


@pytest.mark.soak
def test_without_fields_nothing_more_is_asked(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, asked
) -> None:
    plain, rich = new_workspace(), new_workspace()
    define(rich, "contacts", "colour")
    for workspace in (plain, rich):
        used(workspace.admin)
    afterwards.settle()  # whose key was last used when is noted by a thread, once
    counted = {}
    for name, workspace in {"plain": plain, "rich": rich}.items():
        with asked() as sent:
            used(workspace.admin)
            counted[name] = len(sent)
            assert [each for each in sent if "custom_fields" in each or "fields_version::text" in each] == []
    assert counted["plain"] == counted["rich"] > 0
    assert neighbour.admin.get("/contacts?custom.colour=x").status_code == 422


def test_definitions_are_read_once_per_version(own: Workspace, neighbour: Workspace, asked) -> None:
    for name in ("one", "two"):
        define(own, "contacts", name)
        with asked() as sent:
            for _ in range(3):
                assert own.admin.get(f"/contacts?custom.{name}=x&sort=-custom.{name}").status_code == 200
            assert len([each for each in sent if "from custom_fields" in each]) == 1
    assert neighbour.admin.get("/contacts?custom.one=x").status_code == 422


def test_an_equal_text_is_found_by_the_index(own: Workspace, neighbour: Workspace, asked) -> None:
    with asked() as sent:
        assert own.admin.get("/contacts?custom.nickname=nobody").json["data"] == []
        (question,) = [each for each in sent if "@>" in each]
    assert "custom != '{}'::jsonb" in question.replace("contacts.", "")
    assert neighbour.admin.get("/contacts?custom.nickname=nobody").status_code == 422
