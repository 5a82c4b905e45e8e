"""What befalls a tenant as a whole is told its admins as soon as anything can be written there, once, and never lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from tenants.catalog.models import State, StateChange
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.errors import Refusal, Unavailable
from tenants.lifecycle import admins
from tenants.lifecycle.archives import steps as archiving
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.changing import Decision, change, move
from tenants.lifecycle.telling import rounds
from tenants.lifecycle.telling.rounds import tell_what_waits
from tenants.mail.postmen import Post, ToNobody, post_office, use_post
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.receivers import Receiver, set_up
from tests.tenants.lifecycle.letters import subjects
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

WHY = Decision(Mover.OPERATOR, "The invoice of March is not paid.")
REGIONS = Regions({"main": None})
SUSPENDED, RESUMED = "Your workspace is suspended", "Your workspace goes on"


@pytest.fixture
def moved(catalog: Catalog, nursery: Nursery) -> Callable[[Workspace, State], None]:
    return lambda tenant, after: move(catalog, nursery.owner_urls, tenant.home, after, WHY)


def told(catalog: Catalog, tenant: Workspace) -> int:
    return tell_what_waits(catalog, REGIONS, tenant.home.id)


def kinds(tenant: Workspace) -> list[str]:
    return [each["kind"] for each in tenant.admin.get("/notices?sort=at").json["data"]]


def untold(catalog: Catalog, tenant: Workspace) -> int:
    waiting = select(StateChange.id).where(StateChange.tenant_id == tenant.home.id, StateChange.untold)
    with catalog.transaction() as session:
        return len(session.scalars(waiting).all())


def test_a_suspension_and_its_end_are_told_three_ways_and_once(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, moved: Callable[[Workspace, State], None],
    receiver: Receiver, run_jobs: RunJobs,
) -> None:  # fmt: skip
    theirs, made = kinds(neighbour), set_up(ours, receiver.url)
    moved(ours, State.SUSPENDED)
    assert (told(catalog, ours), told(catalog, ours)) == (1, 0)
    (notice,) = ours.admin.get("/notices").json["data"]
    assert (notice["subject"], notice["kind"]) == (SUSPENDED, "tenant.suspended")
    assert WHY.reason in notice["text"]
    assert subjects(ours) == [SUSPENDED]
    run_jobs()
    assert [each["type"] for each in receiver.verified(made["secret"])] == ["tenant.suspended"]
    moved(ours, State.ACTIVE)
    assert told(catalog, ours) == 1
    assert kinds(ours) == ["tenant.suspended", "tenant.resumed"]
    assert subjects(ours) == [RESUMED], "the first has been sent"
    assert neighbour.admin.get(f"/notices/{notice['id']}").status_code == 404
    assert kinds(neighbour) == theirs


def test_what_could_not_be_told_while_it_stood_still_is_told_in_order_when_it_goes_on(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, moved: Callable[[Workspace, State], None]
) -> None:
    theirs = kinds(neighbour)
    moved(ours, State.SUSPENDED)
    moved(ours, State.FROZEN)
    assert told(catalog, ours) == 0
    assert kinds(ours) == []
    moved(ours, State.ACTIVE)
    moved(ours, State.SUSPENDED)
    moved(ours, State.ACTIVE)
    assert told(catalog, ours) == 3
    assert kinds(ours) == ["tenant.suspended", "tenant.suspended", "tenant.resumed"]
    assert untold(catalog, ours) == 0
    assert kinds(neighbour) == theirs


def test_it_is_told_when_its_own_word_says_so_and_not_before(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, nursery: Nursery
) -> None:
    with catalog.transaction() as session:
        change(session, ours.home.id, State.SUSPENDED, WHY)
    assert told(catalog, ours) == 0
    archiving.settle(catalog, nursery.owner_urls, ours.home.id)
    assert told(catalog, ours) == 1
    assert neighbour.admin.get("/notices?kind=tenant.suspended").json["data"] == []


def test_a_process_that_dies_between_telling_and_noting_it_tells_it_once(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, moved: Callable[[Workspace, State], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    moved(ours, State.SUSPENDED)
    with monkeypatch.context() as patched:
        patched.setattr(rounds, "_heard", killed)
        with pytest.raises(KeyboardInterrupt):
            told(catalog, ours)
    assert untold(catalog, ours) == 1
    told(catalog, ours)
    assert (kinds(ours), subjects(ours), untold(catalog, ours)) == (["tenant.suspended"], [SUSPENDED], 0)
    assert neighbour.admin.get("/notices?kind=tenant.suspended").json["data"] == []


def test_what_is_refused_waits_and_keeps_nobody_else_waiting(
    ours: Workspace, new_workspace: Callable[[], Workspace], catalog: Catalog, moved: Callable[[Workspace, State], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """As when a tenant withholds the key that its mails are sealed with."""
    second, telling = new_workspace(), admins.tell_admins_once

    def withheld(home: object, *said: object) -> bool:
        if home == ours.home:
            raise Unavailable("The key is disabled.")
        return telling(home, *said)  # type: ignore[arg-type]

    for each in (ours, second):
        moved(each, State.SUSPENDED)
    with monkeypatch.context() as patched:
        patched.setattr(rounds, "tell_admins_once", withheld)
        tell_what_waits(catalog, REGIONS)
    assert (kinds(ours), kinds(second)) == ([], ["tenant.suspended"])
    assert told(catalog, ours) == 1
    assert kinds(ours) == ["tenant.suspended"]


@pytest.mark.soak
@pytest.mark.parametrize("state", [State.ACTIVE, State.SUSPENDED])
def test_an_archive_is_told_by_mail_when_it_begins_and_every_way_when_it_is_back(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, works: Works, folder: Path, state: State
) -> None:
    if state is State.SUSPENDED:
        move(catalog, works.owners, ours.home, state, WHY)
        told(catalog, ours)
    before = kinds(ours)
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    (mail,) = folder.glob("*.eml")
    assert "Subject: Your workspace is being archived" in mail.read_text()
    assert WHY.reason in mail.read_text()
    assert told(catalog, ours) == 0
    ask_to_thaw(catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    assert told(catalog, ours) == 1
    assert kinds(ours) == [*before, "tenant.thawed"]
    text = ours.admin.get("/notices").json["data"][0]["text"]
    assert ("is suspended again" in text) is (state is State.SUSPENDED)
    assert len(list(folder.glob("*.eml"))) == 1
    assert neighbour.admin.get("/notices?kind=tenant.thawed").json["data"] == []


@pytest.mark.soak
def test_a_freeze_that_is_done_again_sends_the_same_mail_and_one_without_a_server_goes_on(
    ours: Workspace, neighbour: Workspace, catalog: Catalog, works: Works, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def cut_short(*_: object) -> None:
        raise Refusal("Killed.")

    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(archiving, "change", cut_short)
        with pytest.raises(Refusal):
            go_on(works, archive_id)
    (first,) = folder.glob("*.eml")
    use_post(Post(ToNobody(), post_office().sender, post_office().public_url))
    go_on(works, archive_id)
    with catalog.transaction() as session:
        assert session.get_one(Archive, archive_id).step == Step.KEPT
    assert list(folder.glob("*.eml")) == [first]
    assert neighbour.admin.get("/contacts").status_code == 200
