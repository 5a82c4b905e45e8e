"""A place is ours while our mark lies in it: not while it is not mounted, and not once it is another installation's."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from tenants.catalog.models import PlaceMark, Restoration
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.isolation.folder import Folder
from tenants.isolation.marked_places import MarkedPlace
from tenants.isolation.marks import FOLDER, AnothersPlace, NotOurPlace, Whose
from tenants.isolation.storage import NotStored, Place, StorageFailed, place_at
from tests.tenants.isolation.stored_files import be_another_installation, files_in, read

NAME = "tests"
MARK = f"{FOLDER}{NAME}.json"


def marked(catalog: Catalog, place: Place) -> MarkedPlace:
    """As a process that has just started knows it."""
    return MarkedPlace(NAME, "the place (SETTING)", place, catalog, 0)


@pytest.fixture
def ours(catalog: Catalog, plain: Place, without_marks: None) -> MarkedPlace:
    return marked(catalog, plain)


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """An empty folder lies where it was."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.mkdir()
    yield
    shutil.rmtree(folder)
    aside.rename(folder)


#: Everything that is done to a place, or believed of it when it says that there is nothing.
DONE: dict[str, Callable[[MarkedPlace], object]] = {
    "write": lambda place: place.write("b", [b"x"]),
    "rewrite": lambda place: place.rewrite("a", lambda _chunks: [b"x"]),
    "delete": lambda place: place.delete("a"),
    "sweep": lambda place: place.sweep_unfinished(timedelta()),
    "seen": lambda place: place.say_seen(),
    "list": lambda place: list(place.list("")),
    "exists": lambda place: place.exists("b"),
    "read": lambda place: read(place, "b"),
}


def test_a_place_gets_its_mark_with_the_first_file_and_is_known_by_it(
    ours: MarkedPlace, catalog: Catalog
) -> None:
    assert ours.look().whose is Whose.NOBODYS
    assert list(ours.list("")) == [], "to look writes nothing"
    assert ours.found() is None
    ours.write("a", [b"one"])
    assert (ours.look().whose, ours.found()) == (Whose.OURS, ours.look().mark)
    assert read(ours, "a") == b"one"
    later = marked(catalog, ours._place)
    assert later.rewrite("a", lambda chunks: [b"".join(chunks), b" two"])
    assert (read(later, "a"), later.exists("a"), list(later.list(FOLDER))) == (b"one two", True, [MARK])
    later.delete("a")
    assert not later.exists("a")
    with pytest.raises(NotStored):
        read(later, "a")


@pytest.mark.parametrize("what", DONE)
@pytest.mark.parametrize("started", ["before", "after"])
def test_of_a_folder_that_is_not_mounted_nothing_is_written_and_nothing_believed(
    what: str, started: str, catalog: Catalog, without_marks: None, tmp_path: Path
) -> None:
    folder = tmp_path / "place"
    ours = marked(catalog, Folder(folder))
    ours.write("a", [b"one"])
    if started == "after":
        ours = marked(catalog, Folder(folder))
    with unmounted(folder):
        with pytest.raises(
            NotOurPlace, match=r"has not the mark of this installation, .*: is it mounted"
        ) as refused:
            DONE[what](ours)
        assert not isinstance(refused.value, NotStored), "what is not there is not gone for good"
        assert "place" not in str(refused.value.detail), "callers learn nothing of where things are"
        assert files_in(folder) == []
    assert (ours.look().whose, read(ours, "a")) == (Whose.OURS, b"one")
    ours.write("b", [b"two"])
    DONE[what](ours)


@pytest.mark.parametrize("what", DONE)
def test_nothing_is_done_in_the_place_of_another_installation(
    what: str, ours: MarkedPlace, catalog: Catalog, plain: Place
) -> None:
    ours.write("a", [b"one"])
    before = read(plain, MARK)
    be_another_installation(catalog)
    other = marked(catalog, plain)
    if what in ("list", "exists", "read"):
        # Nothing has to lie where it never wrote: it reads, as a restore reads the backups of whoever is gone.
        assert read(other, "a") == b"one"
        assert list(other.list(FOLDER)) == [MARK]
    else:
        with pytest.raises(
            AnothersPlace, match="is the place of another installation, which was last at work there"
        ):
            DONE[what](other)
        with pytest.raises(AnothersPlace):
            other.write("a", [b"theirs"])
    assert (read(plain, "a"), read(plain, MARK)) == (b"one", before)
    assert other.look().whose is Whose.ANOTHERS


@pytest.mark.parametrize("what", DONE)
def test_whose_place_was_adopted_does_nothing_there_any_more(
    what: str, ours: MarkedPlace, catalog: Catalog, plain: Place
) -> None:
    ours.write("a", [b"one"])
    with catalog.transaction() as session:
        mine = session.get_one(PlaceMark, NAME)
    be_another_installation(catalog)
    other = marked(catalog, plain)
    other.adopt()
    other.write("a", [b"theirs"])
    be_another_installation(catalog)
    with catalog.transaction() as session:
        session.add(PlaceMark(name=NAME, mark=mine.mark, made_at=mine.made_at, written_at=mine.written_at))
    for former in (ours, marked(catalog, plain)):
        with pytest.raises(AnothersPlace):
            DONE[what](former)
    assert read(plain, "a") == b"theirs"


def test_a_mark_is_adopted_over_whatever_lies_there(
    ours: MarkedPlace, plain: Place, catalog: Catalog
) -> None:
    ours.write("a", [b"one"])
    plain.write(MARK, [b"[1]"])
    with pytest.raises(
        NotOurPlace, match=f"{MARK} in the place .* is no mark. `freehold place adopt {NAME}`"
    ):
        ours.write("a", [b"two"])
    ours.adopt()
    ours.write("a", [b"two"])
    plain.delete(MARK)
    assert ours.look().whose is Whose.LOST
    ours.adopt()
    assert (ours.look().whose, read(ours, "a")) == (Whose.OURS, b"two")


def test_who_was_killed_while_it_wrote_its_mark_knows_it_again(
    ours: MarkedPlace, plain: Place, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it lay there, and after it did and before the catalog was told."""

    def full(*_: object) -> None:
        raise StorageFailed("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(type(plain), "write", full)
        with pytest.raises(StorageFailed, match="full"):
            ours.write("a", [b"one"])
    assert ours.look().whose is Whose.NOBODYS
    ours.write("a", [b"one"])
    with catalog.transaction() as session:
        session.execute(update(PlaceMark).where(PlaceMark.name == NAME).values(written_at=None))
    assert ours.look().whose is Whose.OURS
    again = marked(catalog, plain)
    again.write("a", [b"two"])
    assert (read(again, "a"), again.look().mark) == (b"two", ours.look().mark)


def test_of_many_that_write_at_once_all_know_one_mark(
    catalog: Catalog, without_marks: None, tmp_path: Path
) -> None:
    places = [marked(catalog, Folder(tmp_path / "place")) for _ in range(6)]
    with ThreadPoolExecutor(len(places)) as crew:
        list(crew.map(lambda each: each[1].write(f"many/{each[0]}", [b"x"]), enumerate(places)))
    assert len(list(places[0].list("many/"))) == len(places)
    assert len({place.look().mark for place in places}) == 1


def test_a_place_gets_no_mark_by_itself_while_a_backup_is_brought_in(
    ours: MarkedPlace, catalog: Catalog
) -> None:
    with catalog.transaction() as session:
        session.add(Restoration(backup="under way", taken_at=now()))
    try:
        with pytest.raises(NotOurPlace, match="gets no mark while a backup is brought in"):
            ours.write("a", [b"one"])
        assert ours.found() is None
    finally:
        with catalog.transaction() as session:
            session.execute(delete(Restoration))


def test_who_is_at_work_says_so_in_the_mark_and_over_no_others(
    ours: MarkedPlace, plain: Place, catalog: Catalog
) -> None:
    ours.write("a", [b"one"])
    said = json.loads(read(plain, MARK))
    plain.write(MARK, [json.dumps({**said, "seen_at": "2026-01-02T03:04:05+00:00"}).encode()])
    assert f"{ours.found()}".count("2026, 1, 2") == 1
    ours.say_seen()
    found = ours.found()
    assert found is not None
    assert (now() - found.seen_at).total_seconds() < 60
    assert str(found.id) == said["mark"]


def test_a_bucket_is_asked_for_its_mark_once_in_a_while(
    catalog: Catalog, without_marks: None, s3_storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = MarkedPlace(NAME, "the place", place_at(s3_storage_url), catalog, 10)
    place.write("a", [b"one"])
    looks: list[None] = []
    look = MarkedPlace.found
    monkeypatch.setattr(MarkedPlace, "found", lambda self: looks.append(None) or look(self))
    for _ in range(5):
        place.write("a", [b"two"])
        place.delete("a")
        assert not place.exists("a")
    assert len(looks) == 0
    place._believed_until = 0
    place.write("a", [b"two"])
    assert len(looks) == 1
