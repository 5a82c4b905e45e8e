"""`freehold place …`: where files, backups and keys are, and whose mark lies there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.opening import catalog_of
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.isolation.marked_places import MarkedPlace
    from tenants.isolation.places import Places


@click.group(short_help="Where files, backups and keys are, and whose mark lies there.")
def place() -> None:
    """Where files, backups and keys are, and whose mark lies there.

    A mark is a small file by which an installation knows its places. Where it is missing, or another's lies, nothing
    is written and nothing removed. Embedded servers that don't run are started for these commands.
    """


@place.command("list", short_help="Every place, and whose it is.")
@options.data_dir
@options.as_json
def list_places(data_dir: Path, *, as_json: bool) -> None:
    """List the places that the settings name. Status 1 when one can't be used as it is."""
    with _places_of(data_dir) as places:
        found = [_described(each) for each in places.values()]
    if as_json:
        click.echo(json.dumps({"places": found}))
    else:
        for each in found:
            click.echo(f"{'✓' if each['usable'] else '✗'} {each['name']}: {each['at']}, {each['says']}")
    if not all(each["usable"] for each in found):
        raise Refused("Not every place can be used.")


@place.command("adopt", short_help="Make places this installation's.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@options.data_dir
@options.as_json
def adopt(names: tuple[str, ...], data_dir: Path, *, as_json: bool) -> None:
    """Put the mark of this installation in each place NAME (as `freehold place list` calls it).

    For a place that lost its mark with all that it had, and for one of an installation that is gone for good, or a copy
    of one: whoever's it was writes there no more.
    """
    with _places_of(data_dir) as places:
        if unknown := [each for each in names if each not in places]:
            raise Refused(f"There is no place '{unknown[0]}'. There are {', '.join(places)}.")
        for each in names:
            places[each].adopt()
        options.answer({"adopted": list(names)}, as_json=as_json)


@contextmanager
def _places_of(data_dir: Path) -> Iterator["Places"]:
    """The places that the settings name; embedded servers that don't run are started for as long."""
    from crm.cli.ground import ground_as_left
    from tenants.foundation.settings import Settings
    from tenants.isolation.places import Places

    settings = Settings.read(data_dir)
    with ground_as_left(settings, data_dir.absolute()), catalog_of(settings) as catalog:
        yield Places(settings, catalog)


def _described(place: "MarkedPlace") -> dict[str, Any]:
    from tenants.isolation.marks import Whose
    from tenants.isolation.storage import StorageFailed

    said: dict[str, Any] = {"name": place.name, "at": place.named, "seen_at": None}
    try:
        found = place.look()
    except StorageFailed as error:
        return {**said, "usable": False, "says": str(error)}
    seen_at = found.mark.seen_at.isoformat() if found.mark else None
    usable = found.whose in (Whose.OURS, Whose.NOBODYS)
    return {**said, "seen_at": seen_at, "usable": usable, "says": found.whose.value}
