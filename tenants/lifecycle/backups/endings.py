"""What the ledger says ended, read once and looked up by tenant."""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from tenants.audit.ledger import INSTALLATION, Ending, Entry, Ledger


@dataclass
class Ended:
    """What ended of one tenant, as keyed ids: records and credentials by resource, `values` of what alone went of others.

    `shut_out` are people.
    """

    records: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    credentials: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: set[str] = field(default_factory=set)
    shut_out: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Entries come in their order: who was let in again is not shut out."""
        match entry.ending:
            case Ending.VALUES:
                self.values.update(entry.records)
            case Ending.SHUT_OUT:
                self.shut_out.update(entry.records)
            case Ending.LET_IN:
                self.shut_out.difference_update(entry.records)
            case Ending.CREDENTIALS:
                self.credentials[str(entry.resource)].update(entry.records)
            case _:
                self.records[str(entry.resource)].update(entry.records)


class Endings:
    """All of the ledger counts, however old: what was erased never comes back. Reading it raises LedgerBroken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._destroyed: set[str] = set()
        self._ended: dict[str, Ended] = defaultdict(Ended)
        for entry in ledger.entries():
            if entry.ending == Ending.TENANT:
                self._destroyed.add(entry.tenant)
            else:
                self._ended[entry.tenant].add(entry)

    def destroyed(self, tenant_id: UUID) -> bool:
        return self._ledger.keyed_tenant(tenant_id) in self._destroyed

    def of(self, tenant_id: UUID) -> Ended:
        return self._ended.get(self._ledger.keyed_tenant(tenant_id), Ended())

    def staff_shut_out(self) -> set[str]:
        """The keyed ids of those of our own people who were deactivated."""
        return self.of(INSTALLATION).shut_out
