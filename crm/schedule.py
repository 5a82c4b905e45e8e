"""All recurring work, and the process that asks for it.

The jobs that every tenant has say `every=` where they are declared; the platform's own rounds are listed here.
"""

from collections.abc import Iterator
from datetime import timedelta

from crm.app import must_be_open, nursery_of, open_house, owners_of, storage_of, wrapping_of
from tenants.audit.ledger import ledger
from tenants.audit.seals import seal_everywhere
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.catalog.throttles import tidy_throttles
from tenants.foundation import logs
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Purpose
from tenants.identity.rights.following import follow_everywhere
from tenants.isolation.places import Places
from tenants.jobs.errands import Errands
from tenants.jobs.platform import PlatformJob
from tenants.jobs.scheduling import schedule
from tenants.lifecycle.archives.keeping import ROUND as GO_ON
from tenants.lifecycle.archives.keeping import go_on_everywhere
from tenants.lifecycle.archives.links import ROUND as POST_LINKS
from tenants.lifecycle.archives.links import post_links
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.backups.opening import backups
from tenants.lifecycle.backups.pruning import ROUND as PRUNE
from tenants.lifecycle.backups.pruning import prune
from tenants.lifecycle.backups.replaying import Replaying
from tenants.lifecycle.backups.restoring import Restoring, Told
from tenants.lifecycle.certificates.filing import file_what_is_missing
from tenants.lifecycle.certificates.issuing import FILING, certificates
from tenants.lifecycle.changing import settle_all
from tenants.lifecycle.closing.exiting import ROUND as CLOSE
from tenants.lifecycle.closing.exiting import Exits, go_on_with_exits
from tenants.lifecycle.inactivity.looking import ROUND as LOOK
from tenants.lifecycle.inactivity.looking import look
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.lifecycle.keys.watching import ROUND as WATCH_KEYS
from tenants.lifecycle.keys.watching import BroughtKeys
from tenants.lifecycle.moves.moving import ROUND as MOVE
from tenants.lifecycle.moves.moving import go_on_everywhere as go_on_with_moves
from tenants.lifecycle.moves.running import Works as Moves
from tenants.lifecycle.telling.rounds import tell_what_waits
from tenants.lifecycle.telling.waiting import ROUND as TELL_ADMINS
from tenants.provisioning.birth import SPARES
from tenants.provisioning.revisions import head
from tenants.support_access.legal_orders import TELL, tell_when_due
from tenants.support_access.memberships import SETTLE, settle_visits

UNFINISHED_UPLOADS_AFTER = timedelta(days=1)


def main(settings: Settings) -> None:
    """Give turns, sweep and make rounds until told to stop."""
    logs.set_up(settings.log_level, settings.log_format)
    house = open_house(settings)
    must_be_open(settings, house.catalog)
    schedule(
        settings,
        house.catalog,
        list(rounds(settings, house.catalog)),
        long_rounds=list(long_rounds(settings, house.catalog)),
        errands=Errands(house.catalog, wrapping_of(settings, house.catalog)),
    )


def archive_works_of(settings: Settings, catalog: Catalog) -> Works:
    """What archives are made with, in a process that holds the owner's URL."""
    return Works(catalog, owners_of(settings), wrapping_of(settings, catalog), head())


def restoring_of(settings: Settings, catalog: Catalog, told: Told, *, for_trial: bool = False) -> Restoring:
    """What a backup is brought in with, in a process that holds the owner's URL; for trial, its rows alone."""
    owners, storage = owners_of(settings), storage_of(settings, catalog)
    replaying = Replaying(ledger(), catalog, owners, storage)
    return Restoring(
        backups(),
        ledger(),
        catalog,
        owners,
        Regions(settings.regions),
        replaying,
        None if for_trial else storage,
        None if for_trial else Places(settings, catalog),
        told,
    )


def move_works_of(settings: Settings, catalog: Catalog) -> Moves:
    """What moves are made with, in a process that holds the owner's URLs."""
    return Moves(catalog, owners_of(settings), head(), Regions(settings.regions))


def exits_of(settings: Settings, catalog: Catalog) -> Exits:
    """What exits are carried out with, in a process that holds the owner's URL."""
    destruction = Destruction(key_versions(), storage_of(settings, catalog), owners_of(settings))

    def destroy(slug: str, reason: str) -> object:
        return destruction.destroy(slug, decided_by="The tenant's own exit", reason=reason, exit_is_over=True)

    return Exits(catalog, owners_of(settings), destroy)


def long_rounds(settings: Settings, catalog: Catalog) -> Iterator[PlatformJob]:
    """What may take as long as a large tenant does."""
    if settings.owner_database_url is not None:
        works = archive_works_of(settings, catalog)
        yield PlatformJob(
            GO_ON,
            lambda: go_on_everywhere(works),
            purpose=Purpose.OPERATION,
            every_seconds=10,
            minutes=24 * 60,
        )
        moves = move_works_of(settings, catalog)
        yield PlatformJob(
            MOVE,
            lambda: go_on_with_moves(moves),
            purpose=Purpose.OPERATION,
            every_seconds=10,
            minutes=24 * 60,
        )


def rounds(settings: Settings, catalog: Catalog) -> Iterator[PlatformJob]:
    """What the platform does by itself, without a tenant."""
    storage = storage_of(settings, catalog)
    yield PlatformJob(
        "storage.sweep",
        lambda: storage.sweep_unfinished(UNFINISHED_UPLOADS_AFTER),
        purpose=Purpose.OPERATION,
        every_seconds=3600,
    )
    yield PlatformJob(
        "audit.seal", lambda: seal_everywhere(catalog), purpose=Purpose.SECURITY, every_seconds=60
    )
    brought = BroughtKeys(catalog)
    yield PlatformJob(WATCH_KEYS, brought.watch, purpose=Purpose.SECURITY, every_seconds=120)
    yield PlatformJob(
        "roles.follow", lambda: follow_everywhere(catalog), purpose=Purpose.SECURITY, every_seconds=300
    )
    yield PlatformJob(
        FILING,
        lambda: file_what_is_missing(certificates(), storage),
        purpose=Purpose.SECURITY,
        every_seconds=600,
    )
    places = Places(settings, catalog)
    yield PlatformJob("places.seen", places.say_seen, purpose=Purpose.OPERATION, every_seconds=3600)
    yield PlatformJob(PRUNE, lambda: prune(backups(), ledger()), purpose=Purpose.SECURITY, every_seconds=3600)
    yield PlatformJob(
        "throttles.tidy", lambda: tidy_throttles(catalog), purpose=Purpose.SECURITY, every_seconds=3600
    )
    if settings.owner_database_url is not None:
        yield from _rounds_of_owner(settings, catalog)


def _rounds_of_owner(settings: Settings, catalog: Catalog) -> Iterator[PlatformJob]:
    """What takes the login that owns the tables, or follows what does."""
    nursery = nursery_of(settings, catalog, as_owner=True)
    yield PlatformJob(
        SPARES,
        lambda: nursery.stock_cells(settings.spare_tenants),
        purpose=Purpose.OPERATION,
        every_seconds=60,
    )
    yield PlatformJob("nursery.sweep", nursery.sweep, purpose=Purpose.OPERATION, every_seconds=300)
    yield PlatformJob(TELL, lambda: tell_when_due(catalog), purpose=Purpose.SECURITY, every_seconds=60)
    owners = owners_of(settings)
    yield PlatformJob(POST_LINKS, lambda: post_links(catalog), purpose=Purpose.ACCOUNT, every_seconds=10)
    days = settings.inactivity_days
    yield PlatformJob(LOOK, lambda: look(catalog, days), purpose=Purpose.OPERATION, every_seconds=3600)
    exits = exits_of(settings, catalog)
    yield PlatformJob(CLOSE, lambda: go_on_with_exits(exits), purpose=Purpose.PORTABILITY, every_seconds=60)
    regions = Regions(settings.regions)
    yield PlatformJob(
        TELL_ADMINS, lambda: tell_what_waits(catalog, regions), purpose=Purpose.ACCOUNT, every_seconds=60
    )
    yield PlatformJob(
        "tenants.settle", lambda: settle_all(catalog, owners), purpose=Purpose.OPERATION, every_seconds=10
    )
    yield PlatformJob(
        SETTLE, lambda: settle_visits(catalog, owners), purpose=Purpose.SECURITY, every_seconds=10
    )
