"""A mark in every place says whose it is: neither another installation's, nor the empty folder beneath one.

It is a small file, and the catalog knows which one has to be there. Nothing is written to a place, or removed from it,
or taken for missing there, while another one lies in it or none.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock
from time import monotonic
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tenants.catalog.models import PlaceMark
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.storage import NotStored, Place, StorageFailed

FOLDER = "installation/"
FORM = "freehold mark 1"


class NotOurPlace(StorageFailed):
    """A place has no mark, or another installation's; the message says what to do."""


class AnothersPlace(NotOurPlace):
    """It has the mark of another installation, or of what this one was before it was restored elsewhere."""


@dataclass(frozen=True)
class Mark:
    """What lies in a place, and when whoever put it there was last at work there."""

    id: UUID
    seen_at: datetime


class Whose(StrEnum):
    """Whose a place is: nobody's before it was ever written to; lost when our mark is there no more."""

    OURS = "ours"
    NOBODYS = "nobody's yet"
    LOST = "without its mark"
    ANOTHERS = "another's"


@dataclass(frozen=True)
class Look:
    """What a look at a place showed."""

    whose: Whose
    mark: Mark | None


class Marking:
    """The mark of one place: whether it lies there, and how it gets there. `named` is how a sentence calls the place.

    A mark is believed for `believed_seconds`: folders can be unmounted at any moment, buckets cost a request.
    """

    def __init__(self, name: str, named: str, place: Place, catalog: Catalog, believed_seconds: int) -> None:
        self.name, self.named = name, named
        self._place, self._catalog = place, catalog
        self._believed_seconds, self._believed_until = believed_seconds, 0.0
        self._known: UUID | None = None
        self._making = Lock()

    def must_be_ours(self) -> None:
        """Raises NotOurPlace, before anything is written or removed. One that never had a mark of ours gets it."""
        self.must_be_believed(make=True)

    def look(self) -> "Look":
        """Whose it is, as it lies there; nothing is written. Raises StorageFailed."""
        found, known = self.found(), self._row()
        if found is not None:
            return Look(Whose.OURS if known is not None and known.mark == found.id else Whose.ANOTHERS, found)
        if known is not None and known.written_at is not None:
            return Look(Whose.LOST, None)
        others = next(iter(self._of_others().values()), None)
        return Look(Whose.NOBODYS if others is None else Whose.ANOTHERS, others)

    def is_settled(self) -> bool:
        """Whether our mark lies there, and the catalog knows that it does. Raises StorageFailed."""
        expected = self._expected()
        try:
            found = self.found()
        except NotOurPlace:
            return False
        return found is not None and found.id == expected

    def adopt(self) -> None:
        """Put a new mark of ours there, whatever lies in its stead: whoever's it was writes there no more."""
        mark = new_id()
        anew = {"mark": mark, "made_at": now(), "written_at": None}
        row = insert(PlaceMark).values(name=self.name, **anew)
        with self._catalog.transaction() as session:
            session.execute(row.on_conflict_do_update(index_elements=["name"], set_=anew))
        for key in self._of_others():
            self._place.write(key, [_content(mark)])
        self._write(over_anothers=True)

    def say_seen(self) -> None:
        """Say that we are at work here, for whoever finds this mark. Raises NotOurPlace."""
        self.must_be_ours()

        def again(chunks: Iterator[bytes]) -> Iterator[bytes]:
            found = self._read(b"".join(chunks))
            if found.id != self._known:
                raise self.refusal(found)
            yield _content(found.id)

        self._place.rewrite(self._key, again)

    def found(self) -> Mark | None:
        """The mark that lies there, whosever it is. Raises StorageFailed, also for what is none."""
        return self._found_at(self._key)

    def _found_at(self, key: str) -> Mark | None:
        try:
            with self._place.open_stream(key) as chunks:
                return self._read(b"".join(chunks))
        except NotStored:
            return None

    def _of_others(self) -> dict[str, Mark]:
        """Marks that lie here under other names and are none of ours: another installation may call it otherwise."""
        found = {}
        for key in self._place.list(FOLDER):
            with suppress(NotOurPlace):  # what is no mark is nobody's
                if key != self._key and (mark := self._found_at(key)):
                    found[key] = mark
        if not found:
            return found
        with self._catalog.transaction() as session:
            ours = set(session.scalars(select(PlaceMark.mark)))
        return {key: mark for key, mark in found.items() if mark.id not in ours}

    def must_be_believed(self, *, make: bool = False) -> None:
        """Raises NotOurPlace, before anything is taken for missing. Where we never wrote, nothing has to lie."""
        if monotonic() < self._believed_until:
            return
        found = self.found()
        if found is None or found.id != self._known:
            # One thread at a time: whoever waits for the first mark here takes no connection to the catalog.
            with self._making:
                self._known = self._expected()
                if self._known is None and make:
                    self._known = self._write(over_anothers=False)
            if self._known is None:
                return
            # Once more: whoever else wrote it may have done so since the first look.
            found = self.found()
            if found is None or found.id != self._known:
                raise self.refusal(found)
        self._believed_until = monotonic() + self._believed_seconds

    def _expected(self) -> UUID | None:
        """The mark that has to be there; None as long as none was written."""
        known = self._row()
        return known.mark if known is not None and known.written_at is not None else None

    def _row(self) -> PlaceMark | None:
        with self._catalog.transaction() as session:
            return session.get(PlaceMark, self.name)

    def _write(self, *, over_anothers: bool) -> UUID:
        """The catalog knows the mark before it lies there, so that whoever is killed in between knows it again."""
        if not over_anothers and self._catalog.is_being_restored():
            raise NotOurPlace(f"{self.named} gets no mark while a backup is brought in.")
        if not over_anothers and (others := self._of_others()):
            raise self.refusal(next(iter(others.values())))
        row = insert(PlaceMark).values(name=self.name, mark=new_id(), made_at=now())
        with self._catalog.transaction() as session:
            session.execute(row.on_conflict_do_nothing())
        with self._catalog.alone("marks") as session:
            known = session.get_one(PlaceMark, self.name)
            found = None if over_anothers else self.found()
            if found is not None and found.id != known.mark:
                raise self.refusal(found)
            if over_anothers or known.written_at is None:
                self._place.write(self._key, [_content(known.mark)])
                known.written_at = now()
            return known.mark

    @property
    def _key(self) -> str:
        return f"{FOLDER}{self.name}.json"

    def _read(self, content: bytes) -> Mark:
        try:
            said = json.loads(content)
            return Mark(UUID(said["mark"]), datetime.fromisoformat(said["seen_at"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NotOurPlace(
                f"{self._key} in {self.named} is no mark. `freehold place adopt {self.name}` writes another."
            ) from None

    def refusal(self, found: Mark | None) -> NotOurPlace:
        """What to say where this lies instead of our mark."""
        if found is None:
            return NotOurPlace(
                f"{self.named} has not the mark of this installation, {self._key}: is it mounted? Nothing is written"
                f" there or removed. If that is the place, and what it had is lost: `freehold place adopt {self.name}`."
            )
        return AnothersPlace(
            f"{self.named} is the place of another installation, which was last at work there at"
            f" {found.seen_at:%Y-%m-%d %H:%M} UTC. Nothing is written there or removed. If that one is gone for good,"
            f" or this is a copy of its place: `freehold place adopt {self.name}`."
        )


def _content(mark: UUID) -> bytes:
    note = "Freehold knows this place by this file: leave it here, and take it along when you move all that is here."
    said = {"form": FORM, "mark": str(mark), "seen_at": now().isoformat(timespec="seconds"), "note": note}
    return json.dumps(said, indent=2).encode() + b"\n"
