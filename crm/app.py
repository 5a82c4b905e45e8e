"""Wires features, house and settings into one WSGI application."""

from datetime import timedelta
from functools import partial

from flask import Flask

from crm import start_page
from crm.imports.retention import keep_rows_for
from crm.kept import KEPT
from crm.roles import BUILT_IN
from crm.routes import BLUEPRINTS, STAFF_BLUEPRINTS
from crm.visits import VISITABLE
from tenants.access.roles import use_roles
from tenants.attachments.ending import end_attachments_with_records
from tenants.audit.recording import record_changes
from tenants.catalog.models import CatalogBase
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation import logs
from tenants.foundation.outbound import Outbound
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Base, undeclared
from tenants.foundation.way_out import use_outbound
from tenants.http.application import make_application
from tenants.http.course import House
from tenants.http.rate_limits import RateLimits
from tenants.identity.oauth import consent, endpoints
from tenants.identity.people.addressees import addresses_told
from tenants.identity.people.addresses import use_address_book
from tenants.identity.recognition import Recognition
from tenants.identity.sharing.ending import end_with_records
from tenants.identity.shut_doors import watch_doors
from tenants.identity.single_sign_on.domains import DomainClaims, use_claims
from tenants.isolation.cells import Cells
from tenants.isolation.counters import Counters
from tenants.isolation.door import open_doors, open_doors_to_visits
from tenants.isolation.files import use_storage
from tenants.isolation.keys import KeyRing
from tenants.isolation.places import STORAGE, Places, of_region
from tenants.isolation.regional import RegionalStorage
from tenants.isolation.sealing import use_keys
from tenants.isolation.startup import UnsafeDatabase, check_logins
from tenants.isolation.storage import Storage
from tenants.isolation.wrapping import LOOK_UPS, Wrapping, house_key
from tenants.jobs.carrier import Carrier, use_carrier
from tenants.lifecycle.backups.opening import open_backups
from tenants.lifecycle.certificates.issuing import Certificates, use_certificates
from tenants.lifecycle.keys.brought import brought_by
from tenants.lifecycle.keys.versions import KeyVersions, use_key_versions
from tenants.mail.postmen import post_of, use_post
from tenants.notices.silence import tell_of_disabled_webhooks
from tenants.notices.telling import address_notices_with
from tenants.provisioning.birth import Nursery
from tenants.provisioning.revisions import head
from tenants.retention.keeping import keep, unruled
from tenants.retention.leaving import watch_removals
from tenants.support_access.staff.api.records import records_of
from tenants.support_access.staff.mounting import mount_staff
from tenants.support_access.visitable import open_to_visits

#: Connections of the staff's login: there are few visits at a time.
STAFF_POOL = 4


def create_app(settings: Settings) -> Flask:
    """The application that `wsgi.py` serves.

    Raises UnsafeDatabase when a login could read tenants by itself, KeyFileUnusable without a usable key file, and
    TypeError when a table, column, route or field does not declare what it must.
    """
    # A fifth of all that is imported here; workers and commands get along without.
    from tenants.identity.scim import endpoint as scim

    logs.set_up(settings.log_level, settings.log_format)
    house = open_house(settings)
    must_be_open(settings, house.catalog)
    app = make_application(house, "Freehold", BLUEPRINTS)
    mount_staff(app, [*STAFF_BLUEPRINTS, records_of(VISITABLE)])
    start_page.register(app, settings.public_url)
    endpoints.register(app)
    consent.register(app)
    scim.register(app)
    app.extensions["nursery"] = nursery_of(settings, house.catalog)
    return app


def logins_of(settings: Settings) -> dict[str, str]:
    """The URL of each login that serves, by the name of its setting; none of them may see a tenant by itself."""
    urls = {
        "DATABASE_URL": settings.database_url,
        "FREEHOLD_STAFF_DATABASE_URL": settings.staff_database_url,
        "FREEHOLD_CATALOG_DATABASE_URL": settings.catalog_database_url,
    }
    return {name: url for name, url in urls.items() if url}


def owners_of(settings: Settings) -> dict[str, str | None]:
    """The owner's URL of each cell, where this process has it."""
    return {
        "main": settings.owner_database_url,
        **{name: each.owner for name, each in settings.cells.items()},
    }


def nursery_of(settings: Settings, catalog: Catalog, *, as_owner: bool = False) -> Nursery:
    """Where tenants are made; the web process claims spares only, and never gets the owner's URL."""
    owners = owners_of(settings) if as_owner else {}
    return Nursery(catalog, wrapping_of(settings, catalog), head(), owners, Regions(settings.regions))


def storage_of(settings: Settings, catalog: Catalog) -> Storage:
    """Where files go: those of a tenant that chose a region go to the storage there."""
    places = Places(settings, catalog)
    main = Storage(places[STORAGE])
    if not settings.cells and not settings.region_storage:
        return main  # there is nowhere else
    regional = {region: Storage(places[of_region(STORAGE, region)]) for region in settings.region_storage}
    return RegionalStorage(main, regional, catalog.region_of, settings.region)


def must_be_open(settings: Settings, catalog: Catalog) -> None:
    """Raises Unavailable while a backup is brought in, and AnothersPlace when a place is another installation's."""
    catalog.must_be_open()
    Places(settings, catalog).must_not_be_anothers()


def wrapping_of(settings: Settings, catalog: Catalog) -> Wrapping:
    """Who wraps keys here. Raises KeyFileUnusable."""
    former = settings.former_key_wrapper
    return Wrapping(
        house_key(settings.key_wrapper),
        house_key(former) if former else None,
        stored=lambda: catalog.installation_key(LOOK_UPS),
        brought=lambda tenant_id: brought_by(catalog, tenant_id),
    )


def open_house(settings: Settings) -> House:
    """What web, workers and commands share: catalog, doors and keys, after the checks of start-up."""
    check_declarations()
    _introduce()
    check_logins(logins_of(settings))
    catalog = Catalog(settings.catalog_database_url, prepare=settings.prepare_statements)
    _open_doors(settings)
    _use_keys(settings, catalog)
    use_carrier(Carrier(settings.redis_url))
    use_storage(storage_of(settings, catalog))
    use_post(post_of(settings))
    nursery = nursery_of(settings, catalog)
    use_address_book(nursery)
    use_claims(DomainClaims(catalog, nursery.wrapper.hashed))
    keep_rows_for(timedelta(days=settings.import_rows_days))
    use_outbound(Outbound(allow_loopback=settings.outbound_allow_loopback))
    limits = RateLimits(
        Counters(settings.redis_url),
        per_tenant=settings.requests_per_minute_tenant,
        per_caller=settings.requests_per_minute_caller,
    )
    cookie = "__Host-freehold_session" if settings.secure_cookies else "freehold_session"
    return House(settings, catalog, Recognition(cookie, timedelta(hours=settings.session_idle_hours)), limits)


def _introduce() -> None:
    """Who hears of what goes on, and who is asked before."""
    use_roles(BUILT_IN)
    watch_removals()
    end_with_records()
    end_attachments_with_records()
    record_changes()
    watch_doors()
    address_notices_with(addresses_told)
    tell_of_disabled_webhooks()
    open_to_visits(*VISITABLE)


def _open_doors(settings: Settings) -> None:
    """To tenants, and to visits where this process has the staff's login."""
    urls = {"main": settings.database_url, **{name: each.app for name, each in settings.cells.items()}}
    cells = partial(Cells, max_age_seconds=settings.pool_max_age_seconds, prepare=settings.prepare_statements)
    staff = {
        "main": settings.staff_database_url,
        **{name: each.staff for name, each in settings.cells.items()},
    }
    visits = {name: url for name, url in staff.items() if url}
    open_doors(cells(urls, pool_size=settings.pool_size))
    if visits:
        open_doors_to_visits(cells(visits, pool_size=STAFF_POOL))


def _use_keys(settings: Settings, catalog: Catalog) -> None:
    """Tenants' keys, those of backups, and the one that signs certificates. Raises KeyFileUnusable."""
    wrapper = wrapping_of(settings, catalog)
    use_keys(KeyRing(wrapper, catalog.wrapped_keys))
    keyring = open_backups(settings, catalog, wrapper)
    use_key_versions(KeyVersions(catalog, wrapper))
    use_certificates(Certificates(catalog, wrapper, settings.backup_days, keyring.last_end))


def check_declarations() -> None:
    """Nothing is collected that is not declared: data class and purpose of every table and column, and until when."""
    keep(*KEPT)
    if missing := [*undeclared(Base), *undeclared(CatalogBase), *unruled()]:
        raise TypeError(" ".join(missing))


__all__ = ["BLUEPRINTS", "UnsafeDatabase", "create_app", "open_house"]
