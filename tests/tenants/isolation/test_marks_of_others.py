"""Two installations never write to one place: whatever each calls it, and whatever was under way when it was taken."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event, get_ident

import pytest
from sqlalchemy import delete, update

from tenants.catalog.models import PlaceMark, Restoration
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.settings import Settings
from tenants.isolation.folder import UNFINISHED, Folder
from tenants.isolation.marked_places import MarkedPlace
from tenants.isolation.marks import FOLDER, AnothersPlace, NotOurPlace, Whose
from tenants.isolation.places import Places
from tenants.isolation.regional import RegionalStorage
from tenants.isolation.storage import Place, Storage
from tests.tenants.isolation.stored_files import read

TAKES: dict[str, Callable[[MarkedPlace, Iterable[bytes]], object]] = {
    "write": lambda place, chunks: place.write("long", chunks),
    "rewrite": lambda place, chunks: place.rewrite("there", lambda _before: chunks),
}


@pytest.fixture
def marked(catalog: Catalog, plain: Place, without_marks: None) -> Callable[[str], MarkedPlace]:
    return lambda name: MarkedPlace(name, "the place (SETTING)", plain, catalog, 0)


@pytest.fixture
def places(catalog: Catalog, settings: Settings, tmp_path: Path, without_marks: None) -> Places:
    kinds = ("storage", "backups", "keyring")
    return Places(settings.model_copy(update={each: (tmp_path / each).as_uri() for each in kinds}), catalog)


def forget_marks(catalog: Catalog) -> dict[str, PlaceMark]:
    """Be another installation; what the former knew."""
    with catalog.transaction() as session:
        known = {each: session.get(PlaceMark, each) for each in ("storage", "storage-us")}
        session.execute(delete(PlaceMark))
    return {name: each for name, each in known.items() if each is not None}


def test_the_place_of_another_installation_is_known_whatever_that_one_calls_it(
    marked: Callable[[str], MarkedPlace], plain: Place, catalog: Catalog
) -> None:
    """What is the storage of all to one may be that of a region to the other."""
    theirs = marked("storage")
    theirs.write("there", [b"theirs"])
    theirs_known = forget_marks(catalog)
    lying = list(plain.list(""))
    ours = marked("storage-us")
    look = ours.look()
    assert (look.whose, look.mark) == (Whose.ANOTHERS, theirs.found())
    for doing in (
        lambda: ours.write("a", [b"x"]),
        lambda: ours.delete("there"),
        lambda: ours.sweep_unfinished(timedelta()),
        ours.say_seen,
    ):
        with pytest.raises(AnothersPlace, match="last at work there at"):
            doing()
    assert list(plain.list("")) == lying

    ours.adopt()
    ours.write("a", [b"x"])
    assert ours.look().whose is Whose.OURS
    forget_marks(catalog)
    with catalog.transaction() as session:
        mark = theirs_known["storage"]
        session.add(PlaceMark(name=mark.name, mark=mark.mark, made_at=mark.made_at, written_at=now()))
    for former in (theirs, marked("storage")):
        with pytest.raises(AnothersPlace):
            former.write("there", [b"late"])
        assert former.look().whose is Whose.ANOTHERS, "so that it doesn't start either"
    assert read(plain, "there") == b"theirs"


def test_two_places_of_one_installation_lie_in_one_folder_also_when_one_is_named_later(
    marked: Callable[[str], MarkedPlace], plain: Place
) -> None:
    one, other = marked("storage"), marked("storage-us")
    one.write("a", [b"x"])
    plain.write(f"{FOLDER}readme.txt", [b"somebody's note"])
    assert other.look().whose is Whose.NOBODYS
    other.write("b", [b"y"])
    other.adopt()
    assert (one.look().whose, other.look().whose) == (Whose.OURS, Whose.OURS)
    assert read(plain, f"{FOLDER}readme.txt") == b"somebody's note"


@pytest.mark.parametrize("what", TAKES)
def test_what_was_being_written_when_the_place_was_adopted_never_appears_there(
    what: str, marked: Callable[[str], MarkedPlace], plain: Place
) -> None:
    ours = marked("storage")
    ours.write("there", [b"before"])

    def slowly() -> Iterator[bytes]:
        yield b"begun"
        plain.write(f"{FOLDER}storage.json", [read(plain, f"{FOLDER}storage.json").replace(known, anew)])
        yield b" and ended"

    mark = ours.found()
    assert mark is not None
    known, anew = str(mark.id).encode(), str(new_id()).encode()
    with pytest.raises(AnothersPlace):
        TAKES[what](ours, slowly())
    assert read(plain, "there") == b"before"
    assert not plain.exists("long")
    assert plain.sweep_unfinished(timedelta()) == 0, "nothing of it is left"


def test_of_a_folder_that_is_unmounted_while_it_is_listed_nothing_is_believed(
    catalog: Catalog, tmp_path: Path, without_marks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path / "place")
    ours = MarkedPlace("storage", "the place", folder, catalog, 0)
    ours.write("a", [b"x"])
    listed = folder.list

    def unmounted(prefix: str) -> Iterator[str]:
        (tmp_path / "place").rename(tmp_path / "aside")
        return listed(prefix)

    monkeypatch.setattr(folder, "list", unmounted)
    with pytest.raises(NotOurPlace, match="is it mounted"):
        list(ours.list(""))


def test_of_many_that_wait_for_the_first_mark_one_writes_it_and_none_holds_the_catalog(
    catalog: Catalog, tmp_path: Path, without_marks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage may be slow, and everybody needs the catalog."""
    looked: set[int] = set()
    all_looked, writes, connections = Event(), [], []
    folder, many = Folder(tmp_path / "place"), 6
    found, write = MarkedPlace.found, folder.write

    def look(self: MarkedPlace) -> object:
        seen = found(self)
        looked.add(get_ident())
        if len(looked) == many:
            all_looked.set()
        return seen

    def slowly(key: str, chunks: Iterable[bytes], lock: object = None) -> None:
        if key.startswith(FOLDER):
            all_looked.wait(60)
            catalog.is_being_restored()
            connections.append(catalog.engine.pool.checkedout())
            writes.append(key)
        write(key, chunks)

    monkeypatch.setattr(MarkedPlace, "found", look)
    monkeypatch.setattr(folder, "write", slowly)
    ours = MarkedPlace("storage", "the place", folder, catalog, 0)
    with ThreadPoolExecutor(many) as crew:
        list(crew.map(lambda each: ours.write(f"many/{each}", [b"x"]), range(many)))
    assert (len(writes), connections) == (1, [1])
    assert len(list(ours.list("many/"))) == many


def test_a_restore_that_was_killed_while_it_took_a_place_takes_it_again(
    places: Places, catalog: Catalog
) -> None:
    """After the mark lay there, and before the catalog was told."""
    places.adopt()
    with catalog.transaction() as session:
        session.execute(update(PlaceMark).where(PlaceMark.name == "storage").values(written_at=None))
    places.must_be_free()
    places.adopt()
    with catalog.transaction() as session:
        session.add(Restoration(backup="under way", taken_at=now()))
    try:
        places["storage"].write("brought back", [b"x"])
    finally:
        with catalog.transaction() as session:
            session.execute(delete(Restoration))
    assert places["storage"].look().whose is Whose.OURS


@pytest.mark.parametrize("away", ["storage", "storage-us"])
def test_a_storage_that_is_away_keeps_no_other_from_being_swept(
    away: str, catalog: Catalog, tmp_path: Path, without_marks: None
) -> None:
    made = {
        name: MarkedPlace(name, name, Folder(tmp_path / name), catalog, 0)
        for name in ("storage", "storage-us", "storage-eu")
    }
    for name, place in made.items():
        place.say_seen()
        (tmp_path / name / UNFINISHED / ".left").write_bytes(b"by whoever was killed")
    (tmp_path / away).rename(tmp_path / "aside")
    main, *regional = (Storage(each) for each in made.values())
    storage = RegionalStorage(main, dict(zip(("us", "eu"), regional, strict=True)), catalog.region_of)
    with pytest.raises(NotOurPlace, match=away):
        storage.sweep_unfinished(timedelta())
    left = [each.parts[-3] for each in tmp_path.rglob(".left")]
    assert left == ["aside"]


def test_what_is_no_mark_is_adopted_with_all_others(places: Places, tmp_path: Path) -> None:
    places.say_seen()
    (tmp_path / "backups" / FOLDER / "backups.json").write_bytes(b"")
    places.adopt()
    assert {each.look().whose for each in places.values()} == {Whose.OURS}


def test_a_restore_that_is_run_again_takes_no_folder_beneath_unless_it_is_told_to(
    places: Places, tmp_path: Path
) -> None:
    places.adopt()
    (tmp_path / "storage").rename(tmp_path / "aside")
    (tmp_path / "storage").mkdir()
    with pytest.raises(NotOurPlace, match=r"FREEHOLD_STORAGE\).* Is it mounted\? .* say --adopt"):
        places.must_be_free()
    assert list((tmp_path / "storage").iterdir()) == []
    (tmp_path / "storage").rmdir()
    (tmp_path / "aside").rename(tmp_path / "storage")
    places.must_be_free()
