"""What is over: dated keys whose day has come, backups that no key opens, remains of killed attempts, old entries."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tenants.audit.ledger import Ledger
from tenants.lifecycle.backups.store import Page, Store, place_in

ROUND = "backups.prune"
#: What else lies there is somebody's, and stays.
IS_OURS = re.compile(r"\d{8}T\d{6}Z-")
#: No backup takes longer to write; one that is unfinished after this was killed.
UNFINISHED_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class Pruned:
    """What went: the days of the keys, backups, remains of attempts, entries of the ledger."""

    keys: list[str]
    backups: list[str]
    unfinished: list[str]
    entries: int


def prune(store: Store, ledger: Ledger) -> Pruned:
    """Destroy the keys that are due, then remove what they leave behind; copies of tenants' keys become those of today.

    Of the ledger nothing goes that a backup from before could still need. Raises StorageFailed; run again, it goes on.
    """
    keys = store.keyring.destroy_due()
    store.keyring.keep()
    pages, alone = store.pages(), store.parts_alone()
    over = [each.id for each in pages + alone if _is_over(store, each)]
    finished = {each.id for each in pages + alone}
    latest = datetime.combine(store.keyring.today, datetime.min.time(), UTC) - UNFINISHED_AFTER
    unfinished = set(filter(IS_OURS.match, store.folders() - finished))
    left = sorted(each for each in unfinished if _begun_at(each) < latest)
    for backup in left:
        store.remove(backup)
    # One that is under way may have copied files that no finished one names: those that are over wait for it.
    removed = over if unfinished <= set(left) else []
    for backup in removed:
        store.remove(backup)
    # Of what the main place doesn't know, it doesn't say which copies are needed either.
    if removed and not store.parts_alone() and all(map(store.readable, store.pages())):
        _remove_files(store)
    kept = [datetime.fromisoformat(each.taken_at) for each in pages if each.id not in over]
    # One that is under way may hold what was erased before the others were begun.
    others = [_begun_at(each) for each in unfinished if each not in left] + [
        datetime.fromisoformat(each.taken_at) for each in alone if each.id not in over
    ]
    entries = ledger.forget_until(min(kept + others)) if kept else 0
    return Pruned([each.isoformat() for each in keys], removed, left, entries)


def _is_over(store: Store, page: Page) -> bool:
    """Before its day a backup that nothing opens stays: the keyring may be somewhere else, or not be mounted."""
    due = page.key_destroyed_on <= store.keyring.today.isoformat()
    return not store.readable(page) and (due or store.keyring.is_destroyed(page.key_day))


def _remove_files(store: Store) -> None:
    """Copies that no backup names any more."""
    indexes = [store.index(page) for page in store.pages()]
    for place, its in store.places():
        its.files.remove_but(
            (UUID(tenant_id), files)
            for index in indexes
            for tenant_id, files in index["files"].items()
            if place_in(index, tenant_id) == place
        )


def _begun_at(backup: str) -> datetime:
    return datetime.strptime(backup.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
