"""Databases crash and start again at every step of an archive, a move and a destruction: all go on by themselves."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tenants.catalog.models import State, Tenant
from tenants.catalog.states import Mover
from tenants.isolation.files import stored_files
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw
from tenants.lifecycle.archives.models import Archive
from tenants.lifecycle.archives.models import Step as Put
from tenants.lifecycle.archives.running import Works as Archiving
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.closing.exiting import ask_to_close
from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.moves.models import Move, Step
from tenants.lifecycle.moves.moving import ask_to_confirm, ask_to_move
from tenants.lifecycle.moves.running import Works as Moving
from tests.chores import do, marks, numbers, order
from tests.s3 import S3
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of, content, has_schema
from tests.tenants.lifecycle.moves.world import WAY, at, differing, eventually, lives_once, schemas
from tests.tenants.lifecycle.moves.world import content as content_at
from tests.tenants.lifecycle.putting_away import furnished, is_whole_once, must_be_back
from tests.tenants.lifecycle.restarts.conftest import DESTROYING
from tests.tenants.lifecycle.restarts.world import World, patiently
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
MAIN, SECOND = ("main",), ("second",)
#: The steps in which something is done where a tenant goes, or is looked at there.
WHERE_IT_GOES = [
    Step.COPYING,
    Step.LEVELLING,
    Step.CHECKING,
    Step.ARRIVING,
    Step.SWITCHING,
    Step.SETTLING,
    Step.CONFIRMING,
]
#: What the program writes by itself as soon as a tenant is at work.
AT_WORK = {"api_keys", "schedules", "jobs", "roles", "notices", "mails"}


@pytest.fixture(autouse=True)
def storage(world: World, s3_server: S3) -> Iterator[S3]:
    """Where all files are. It does what a test wants of it, and nothing of that when the test is over."""
    yield s3_server
    s3_server.faults.clear()


def out(storage: S3, method: str) -> None:
    """One request of this kind for an archive is refused."""
    storage.fail(lambda said: said["REQUEST_METHOD"] == method and "/archives/" in said["PATH_INFO"])


def storage_of(tenant: Workspace) -> list[str]:
    return list(stored_files(tenant.home.id).list())


def times_told(tenant: Workspace, kind: str) -> int:
    """How often its admins were told of this."""
    return len(tenant.admin.get(f"/notices?kind={kind}").json["data"])


def archive_is(world: World, archive_id: UUID, step: Put) -> bool:
    with world.catalog.transaction() as session:
        return session.get_one(Archive, archive_id).step == step


@pytest.mark.promise("RET-2", "4-20")
def test_an_archive_is_whole_in_one_place_wherever_the_database_crashed(
    world: World, ours: Workspace, neighbour: Workspace, storage: S3
) -> None:
    works = Archiving(world.catalog, world.owners, world.nursery.wrapper, world.nursery.head)
    file, number = furnished(ours), next(numbers)
    before: dict[str, str] = {}
    away = ["freezing", "writing", "failed.writing", "checking", "dropping"]
    back = ["filling", "failed.filling", "migrating", "opening", "tidying", "failed.tidying"]
    spots = {f"archives.{each}": MAIN for each in away} | {
        f"within.archives.{each}": MAIN for each in ("writing", "comparing")
    }
    out(storage, "PUT")
    archive = ask_to_archive(world.catalog, ours.home.id, WHY)

    def whole() -> None:
        if not before:
            before.update(content(ours))  # it is frozen: nobody writes to it any more
        is_whole_once(works, world.nursery, archive, ours, before, AT_WORK)

    world.crash_at(spots, whole)
    eventually(lambda: patiently(lambda: archive_is(world, archive, Put.KEPT)))
    assert (has_schema(world.nursery, ours), len(bundles_of(ours))) == (False, 1)
    eventually(lambda: ours.admin.get("/contacts").status_code == 423)
    out(storage, "GET")
    out(storage, "DELETE")
    spots = {f"archives.{each}": MAIN for each in back} | {
        f"within.archives.{each}": MAIN for each in ("reading back", "filling")
    }
    ask_to_thaw(world.catalog, ours.home.id, WHY)
    world.crash_at(spots, whole)
    eventually(lambda: patiently(lambda: archive_is(world, archive, Put.RETURNED)))
    world.catalog.forget(ours.home.id)
    patiently(lambda: must_be_back(ours, before, file, AT_WORK))
    eventually(lambda: times_told(ours, "tenant.thawed") == 1)
    order(ours.home, do, number=number)
    eventually(lambda: marks(ours.home, number) == 1)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("RET-2")
@pytest.mark.parametrize("cells", [MAIN, SECOND], ids=["where it comes from", "where it goes"])
def test_a_move_lives_in_one_place_wherever_a_database_crashed(
    world: World, ours: Workspace, neighbour: Workspace, cells: tuple[str, ...]
) -> None:
    works = Moving(world.catalog, world.owners, world.nursery.head, world.regions)
    furnished(ours)
    number = next(numbers)
    before = content_at(ours.home)
    steps = WAY if cells is MAIN else WHERE_IT_GOES
    spots = {f"moves.{each.value}": cells for each in steps} | {
        f"within.moves.{each}": cells for each in ("copying", "levelling")
    }

    def whole() -> None:
        eventually(lambda: ours.admin.get("/contacts").status_code == 200)
        lives_once(works, ours)

    move = ask_to_move(works, ours.home.id, "second", "The first server is full.")
    order(ours.home, do, number=number)
    world.crash_at(spots, whole)
    eventually(lambda: patiently(lambda: move_is(world, move, Step.KEPT)))
    assert schemas(works, ours) == {"main aside", "second"}
    whole()
    different = differing(before, content_at(at(ours, "second")))
    assert {each.removeprefix("opened ") for each in different} <= {"companies", "idempotency_keys", *AT_WORK}
    eventually(lambda: marks(at(ours, "second"), number) == 1)
    eventually(lambda: times_told(ours, "tenant.moved") == 1)
    assert ask_to_confirm(works, ours.home.id) == move
    world.crash_at({"moves.dropping": cells}, whole)
    eventually(lambda: patiently(lambda: move_is(world, move, Step.CONFIRMED)))
    assert schemas(works, ours) == {"second"}
    assert (times_told(ours, "tenant.moved"), times_told(neighbour, "tenant.moved")) == (1, 0)
    assert neighbour.admin.get("/contacts").status_code == 200


def move_is(world: World, move_id: UUID, step: Step) -> bool:
    with world.catalog.transaction() as session:
        move = session.get_one(Move, move_id)
        assert move.step != Step.GIVEN_UP, move.error
        return move.step == step


def earlier(world: World, tenant: Workspace, days: float) -> None:
    """All dates of its exit are so much earlier."""
    dates = (Closing.notice_until, Closing.transition_until, Closing.retrieval_until, Closing.final_notice_at)
    with world.catalog.transaction() as session:
        mine = update(Closing).where(Closing.tenant_id == tenant.home.id)
        session.execute(mine.values({each.key: each - timedelta(days=days) for each in dates}))


def closing_of(world: World, tenant: Workspace) -> Closing:
    with world.catalog.transaction() as session:
        return session.scalars(select(Closing).where(Closing.tenant_id == tenant.home.id)).one()


def state_of(world: World, tenant: Workspace) -> str:
    with world.catalog.transaction() as session:
        return session.get_one(Tenant, tenant.home.id).state


@pytest.mark.promise("RET-4")
def test_a_destruction_is_carried_out_and_certified_once_wherever_the_database_crashed(
    world: World, ours: Workspace, neighbour: Workspace, storage: S3
) -> None:
    furnished(ours)
    ask_to_close(
        world.catalog, ours.home, Decision(Mover.ADMIN, "We leave."), notice=0, transition=30, retrieval=30
    )
    for days, come in (
        (31, lambda: state_of(world, ours) == State.CLOSING),
        (28, lambda: closing_of(world, ours).final_notice_at is not None),
    ):
        earlier(world, ours, days)
        eventually(come)
    storage.fail(lambda said: said["REQUEST_METHOD"] == "DELETE")

    def gone_or_whole() -> None:
        """Its keys ended before anything else: nothing that is left of it opens."""
        world.catalog.forget(ours.home.id)
        keys = len(world.catalog.wrapped_keys(ours.home.id))
        assert ours.admin.get("/contacts").status_code == (200 if keys else 410)
        assert neighbour.admin.get("/contacts").status_code == 200

    earlier(world, ours, 5)
    world.crash_at(dict.fromkeys(DESTROYING, MAIN), gone_or_whole)
    eventually(lambda: patiently(lambda: closing_of(world, ours).destroyed_at is not None))
    assert len(certificates().of(ours.home.id)) == 1
    assert (has_schema(world.nursery, ours), storage_of(ours)) == (False, [])
    patiently(gone_or_whole)
