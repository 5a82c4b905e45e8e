"""An exit that is cancelled is told its tenant's admins, whenever it was, once, and never before it is so."""

from collections.abc import Callable

import pytest

from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.lifecycle.changing import Decision, settle
from tenants.lifecycle.closing.exiting import Exits, cancel, go_on_with_exits
from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.telling import rounds
from tenants.lifecycle.telling.rounds import tell_what_waits
from tests.tenants.lifecycle.letters import subjects
from tests.workspace import Workspace

WHY = Decision(Mover.OPERATOR, "They stay.")
BODY = {"reason": "We move to another house."}
SUBJECT, KIND = "Your workspace is not closed after all", "tenant.closing_cancelled"


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    made = new_workspace()
    assert made.admin.in_person.post("/closing", BODY).status_code == 202
    return made


def told(catalog: Catalog, tenant: Workspace) -> int:
    return tell_what_waits(catalog, Regions({"main": None}), tenant.home.id)


def kinds(tenant: Workspace) -> list[str]:
    return [each["kind"] for each in tenant.admin.get("/notices?sort=at").json["data"]]


def test_an_exit_that_is_cancelled_before_anything_changed_is_told_once(
    ours: Workspace, neighbour: Workspace, catalog: Catalog
) -> None:
    theirs = kinds(neighbour)
    assert told(catalog, ours) == 0
    assert ours.admin.in_person.delete("/closing").status_code == 204
    assert (told(catalog, ours), told(catalog, ours)) == (1, 0)
    (notice,) = ours.admin.get("/notices").json["data"]
    assert (notice["kind"], notice["subject"]) == (KIND, SUBJECT)
    assert "Nothing was destroyed." in notice["text"]
    assert subjects(ours) == [SUBJECT]
    assert neighbour.admin.get(f"/notices/{notice['id']}").status_code == 404
    assert kinds(neighbour) == theirs
    assert ours.admin.in_person.post("/closing", BODY).status_code == 202
    assert ours.admin.in_person.delete("/closing").status_code == 204
    assert told(catalog, ours) == 1, "another exit is another matter"
    assert kinds(ours) == [KIND, KIND]


def test_one_that_is_cancelled_during_retrieval_is_told_when_its_own_word_says_so(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, exits: Exits
) -> None:
    with catalog.transaction() as session:
        late = session.query(Closing).filter_by(tenant_id=ours.home.id).one().transition_until
    go_on_with_exits(exits, late)
    assert cancel(catalog, ours.home.id, WHY)
    assert told(catalog, ours) == 0
    settle(catalog, exits.owners, ours.home.id)
    assert told(catalog, ours) == 1
    assert kinds(ours) == ["tenant.closing_asked", "tenant.closing_retrieval", KIND]
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert KIND not in kinds(neighbour)


def test_a_process_that_dies_between_telling_and_noting_it_tells_it_once(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    before = now()
    assert ours.admin.in_person.delete("/closing").status_code == 204
    with monkeypatch.context() as patched:
        patched.setattr(rounds, "_heard", killed)
        with pytest.raises(KeyboardInterrupt):
            told(catalog, ours)
    told(catalog, ours)
    assert (kinds(ours), subjects(ours), told(catalog, ours)) == ([KIND], [SUBJECT], 0)
    assert ours.admin.get("/closing").json["cancelled_at"] >= f"{before:%Y-%m-%dT%H:%M:%S}"
    assert KIND not in kinds(neighbour)
