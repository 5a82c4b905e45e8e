"""`freehold doctor`: what is well here and what is not, each in a sentence."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.cli import options
from crm.cli.opening import catalog_of
from crm.cli.refusals import Refused, sentence_for

if TYPE_CHECKING:
    from tenants.foundation.settings import Settings
    from tenants.isolation.places import Named


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    well: bool
    says: str


@click.command(short_help="What is well here, and what is not.")
@options.data_dir
@options.as_json
def doctor(data_dir: Path, *, as_json: bool) -> None:
    """Look at settings, database, Redis, storage, keys and migrations; status 1 when something is wrong."""
    import json

    from tenants.foundation.settings import Settings

    findings = list(examine(Settings.read(data_dir)))
    well = all(finding.well for finding in findings)
    if as_json:
        click.echo(json.dumps({"well": well, "checks": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            click.echo(f"{'✓' if finding.well else '✗'} {finding.check}: {finding.says}")
    if not well:
        raise Refused("Not everything is well.")


def examine(settings: "Settings") -> Iterator[Finding]:
    """Every check in the order in which a failure explains those after it."""
    checks: dict[str, Callable[[Settings], str]] = {
        "logins": logins,
        "staff": staff,
        "redis": redis,
        **_checks_of_places(settings),
        "key of keys": key_of_keys,
        "migrations": migrations,
        "regions": regions,
    }
    for name, check in checks.items():
        try:
            yield Finding(name, well=True, says=check(settings))
        except Exception as error:
            sentence = sentence_for(error)
            if sentence is None:
                raise
            yield Finding(name, well=False, says=sentence)


def logins(settings: "Settings") -> str:
    from crm.app import logins_of
    from tenants.isolation.startup import check_logins

    check_logins(logins_of(settings))
    return "The logins see no tenant by themselves."


def staff(settings: "Settings") -> str:
    from tenants.isolation.memberships import held_by_staff
    from tenants.support_access.memberships import open_roles

    urls = [settings.staff_database_url, *(each.staff for each in settings.cells.values())]
    with catalog_of(settings) as catalog:
        open_now = open_roles(catalog)
    stray = sorted({role for url in urls if url for role in held_by_staff(url)} - open_now)
    if stray:
        raise Refused(
            f"The staff's login may take {len(stray)} tenants' roles without an open visit ({stray[0]} for one);"
            " the scheduler takes them away within seconds: is it running?"
        )
    return f"The staff's login gets into no tenant without an open visit; {len(open_now)} are open."


def redis(settings: "Settings") -> str:
    from tenants.isolation.outages import ask_redis

    return f"Redis {ask_redis(settings.redis_url)} answers."


def _checks_of_places(settings: "Settings") -> "dict[str, Callable[[Settings], str]]":
    """One for each place: `storage`, `backups of us`."""
    from tenants.isolation.places import named_places

    return {each.name.replace("-", " of ", 1): partial(place, each) for each in named_places(settings)}


def place(named: "Named", settings: "Settings") -> str:
    """Writes a file there, under the mark of this installation, and removes it."""
    from sqlalchemy.exc import OperationalError

    from tenants.foundation.identifiers import new_id
    from tenants.isolation.places import STORAGE, Places

    # A catalog that can't be reached is what `logins` is about; whether files can be written is known without it.
    with catalog_of(settings) as catalog, suppress(OperationalError):
        Places(settings, catalog)[named.name].must_be_ours()
    there, key = named.place(), f"doctor-{new_id()}"
    there.write(key, [b"a file of the doctor"])
    there.delete(key)
    wrote = f"A file went to {named.url} and was removed again"
    if not named.name.startswith(STORAGE):
        return f"{wrote}."
    locked = "locked" if there.keeps_locks() else "kept without a lock"
    return f"{wrote}; certificates are {locked} there."


def key_of_keys(settings: "Settings") -> str:
    """Wraps something with it and opens that again."""
    from crm.app import wrapping_of
    from tenants.foundation.encryption import new_key_material
    from tenants.foundation.identifiers import new_id
    from tenants.isolation.key_file import LocalKeyFile
    from tenants.isolation.keys import KeyName
    from tenants.isolation.wrapping import OTHER, house_key

    key = house_key(settings.key_wrapper)
    probe, name = new_key_material(), KeyName(new_id(), 1)
    if key.unwrap(key.wrap(probe, name), name) != probe:
        raise Refused(f"{key!r} does not open what it closed.")
    with catalog_of(settings) as catalog:
        if wrapping_of(settings, catalog).is_the_one() is False:
            raise Refused(f"{key!r}: {OTHER}")
    if isinstance(key, LocalKeyFile):
        return f"{key!r} holds a key, and its owner alone can read it."
    return f"{key!r} wraps keys and opens them again."


def migrations(settings: "Settings") -> str:
    from sqlalchemy import select

    from tenants.catalog.models import State, Tenant
    from tenants.provisioning.migrating import MIGRATED
    from tenants.provisioning.revisions import head

    with catalog_of(settings) as catalog, catalog.transaction() as session:
        # What is put away, or still being made, is brought up to date by whoever takes it up.
        living = Tenant.state.in_(MIGRATED) & (Tenant.state != State.CLAIMED)
        found = session.execute(select(Tenant.state, Tenant.revision).where(living)).all()
    fenced = sum(row.state == State.FENCED for row in found)
    behind = sum(row.revision != head() for row in found)
    if fenced or behind:
        raise Refused(
            f"{behind} tenants are behind the newest revision, {fenced} are fenced; run `freehold migrate`."
        )
    return f"All {len(found)} tenants are at revision {head()}."


def regions(settings: "Settings") -> str:
    """Whether each tenant that chose a region is there, and which moves wait to be confirmed."""
    from sqlalchemy import select

    from tenants.catalog.models import State, Tenant
    from tenants.lifecycle.letters import minute
    from tenants.lifecycle.moves.models import Move, Step

    there = Tenant.region.is_not(None), Tenant.state != State.DESTROYED
    bound = select(Tenant.slug, Tenant.cell, Tenant.region).where(*there)
    waiting = select(Move).where(Move.step == Step.KEPT).order_by(Move.resumed_at)
    with catalog_of(settings) as catalog, catalog.transaction() as session:
        found, kept = session.execute(bound).all(), session.scalars(waiting).all()
    astray = [row for row in found if settings.regions.get(row.cell) != row.region]
    if astray:
        raise Refused(
            f"{len(astray)} tenants are not in the region that they chose ({astray[0].slug} for one):"
            " the cell's region was changed in the settings."
        )
    first = [f", the first until {minute(each.way_back_until)}" for each in kept if each.way_back_until][:1]
    return (
        f"All {len(found)} tenants that chose a region are there;"
        f" {len(kept)} moves wait to be confirmed{''.join(first)}."
    )
