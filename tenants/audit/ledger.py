"""The ledger of what was erased, destroyed or shut out. It outlives backups, so that none of them brings it back.

Entries are files beside the backups, numbered, each with the SHA-256 of the one before and a keyed hash over itself.
They hold keyed hashes of ids and no value: whoever has no key learns from them how many, and nothing of whom.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.storage import Place

FOLDER = "ledger/"
PURPOSE = "ledger"
DIGITS = 12
#: Stands in a tenant's place for what is of none: our own people.
INSTALLATION = UUID(int=0)


class Ending(StrEnum):
    """What ended: records for good, the values that the audit had of records, a tenant as a whole, or a way in.

    A credential ends for good, and somebody is shut out until they are let in again.
    """

    RECORDS = "records"
    VALUES = "values"
    TENANT = "tenant"
    CREDENTIALS = "credentials"
    SHUT_OUT = "shut_out"
    LET_IN = "let_in"


class LedgerBroken(Conflict):
    """An entry of the ledger is missing or is not what was written; the message names the file."""

    code = "ledger_broken"


@dataclass(frozen=True)
class Entry:
    """One entry: keyed hashes of a tenant and of the ids of its records, in hexadecimal digits."""

    number: int
    at: str
    ending: str
    tenant: str
    resource: str | None
    records: tuple[str, ...]


class Ledger:
    """`hashed` gives keyed hashes of a value for a purpose; `alone` keeps two writers from taking one number."""

    def __init__(
        self,
        place: Place,
        hashed: Callable[[str, str], bytes],
        alone: Callable[[str], AbstractContextManager[object]],
    ) -> None:
        self._place, self._hashed, self._alone = place, hashed, alone

    def note(
        self, ending: Ending, tenant_id: UUID, resource: str | None = None, record_ids: Sequence[UUID] = ()
    ) -> None:
        """Append an entry. Said twice it does no harm. Raises StorageFailed."""
        records = tuple(self.keyed_record(tenant_id, each) for each in record_ids)
        with self._alone(PURPOSE):
            last = max(self._place.list(FOLDER), default=None)
            before = hashlib.sha256(self._content(last)).hexdigest() if last else ""
            number = int(last.removeprefix(FOLDER)) + 1 if last else 1
            entry = Entry(number, now().isoformat(), ending, self.keyed_tenant(tenant_id), resource, records)
            said = {**asdict(entry), "before": before}
            content = json.dumps({**said, "keyed": self._keyed(said)}).encode()
            self._place.write(_name(number), [content])

    def entries(self) -> Iterator[Entry]:
        """Every entry in order, each checked before it is given. Raises LedgerBroken that names the first fault."""
        before: str | None = None
        number: int | None = None
        for name in self._place.list(FOLDER):
            content = self._content(name)
            entry, previous = self._read(name, content)
            if number is not None and (entry.number != number + 1 or previous != before):
                raise LedgerBroken(
                    f"{name} does not follow the entry before it: one is missing or was changed."
                )
            before, number = hashlib.sha256(content).hexdigest(), entry.number
            yield entry

    def forget_until(self, moment: datetime) -> int:
        """Remove entries from before a moment, the oldest first, all but the last: no backup is as old; how many."""
        names, gone = list(self._place.list(FOLDER)), 0
        for name in names[:-1]:
            entry, _ = self._read(name, self._content(name))
            if datetime.fromisoformat(entry.at) >= moment:
                break
            self._place.delete(name)
            gone += 1
        return gone

    def keyed_tenant(self, tenant_id: UUID) -> str:
        return self._hashed(str(tenant_id), f"{PURPOSE} of tenants").hex()

    def keyed_record(self, tenant_id: UUID, record_id: UUID) -> str:
        return self._hashed(f"{tenant_id} {record_id}", f"{PURPOSE} of records").hex()

    def _read(self, name: str, content: bytes) -> tuple[Entry, str]:
        try:
            said: dict[str, Any] = json.loads(content)
            keyed = str(said.pop("keyed"))
            sound = hmac.compare_digest(keyed, self._keyed(said)) and name == _name(said["number"])
            before = str(said.pop("before"))
            entry = Entry(**{**said, "records": tuple(said["records"])})
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LedgerBroken(f"{name} is no entry of the ledger.") from None
        if not sound:
            raise LedgerBroken(f"{name} was changed after it was written.")
        return entry, before

    def _keyed(self, said: dict[str, Any]) -> str:
        return self._hashed(json.dumps(said, sort_keys=True), f"{PURPOSE} entries").hex()

    def _content(self, name: str) -> bytes:
        with self._place.open_stream(name) as chunks:
            return b"".join(chunks)


def _name(number: int) -> str:
    return f"{FOLDER}{number:0{DIGITS}}"


_ledger: list[Ledger] = []


def use_ledger(made: Ledger) -> None:
    """Say once, at start-up, where the ledger is."""
    _ledger[:] = [made]


def ledger() -> Ledger:
    """The ledger of this process."""
    return _ledger[0]
