"""What is kept of a region has a place of its own: its files, and its backups."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Kept:
    """One kind of what is kept: a place for each region of `own`, and `main` for all the rest."""

    what: str
    a_place: str
    setting: str
    main: str
    own_setting: str
    own: Mapping[str, str]


@dataclass(frozen=True)
class Named:
    """A place, and who names it for which region; None for what is of none."""

    by: str
    region: str | None
    url: str


def kept_of(storage: str, its: Mapping[str, str], backups: str, their: Mapping[str, str]) -> tuple[Kept, ...]:
    """All that has to stay in a region."""
    return (
        Kept("Files", "storage", "FREEHOLD_STORAGE", storage, "FREEHOLD_REGION_STORAGE", its),
        Kept("Backups", "place for them", "FREEHOLD_BACKUPS", backups, "FREEHOLD_REGION_BACKUPS", their),
    )


def must_be_apart(regions: Iterable[str | None], home: str | None, kept: Sequence[Kept]) -> None:
    """Whatever chose a region is kept there, all of it. `home` is the region that the main places are in.

    Raises ValueError that names each region of a cell without a place of its own, and each place that two regions share.
    """
    wanted = {region for region in regions if region and region != home}
    bare = [_bare(each, sorted(wanted - each.own.keys()), home) for each in kept if wanted - each.own.keys()]
    if complaints := [*bare, *_shared(list(_places(kept, home)))]:
        raise ValueError(".\n".join(complaints))


def _bare(kept: Kept, bare: Sequence[str], home: str | None) -> str:
    wanted = json.dumps({**kept.own, **dict.fromkeys(bare, "s3://bucket/prefix")})
    return (
        f"{kept.what} never leave a region, and there is no {kept.a_place} in {' and '.join(map(repr, bare))}:"
        f" {kept.setting} is for {repr(home) if home else 'cells of no region'}."
        f" Set {kept.own_setting}={wanted}"
    )


def _places(kept: Sequence[Kept], home: str | None) -> Iterator[Named]:
    for each in kept:
        yield Named(each.setting, home, each.main)
        for region, url in each.own.items():
            yield Named(f"{each.own_setting} of {region!r}", region, url)


def _shared(places: Sequence[Named]) -> Iterator[str]:
    for one, other in combinations(places, 2):
        if one.region != other.region and _overlap(_whereabouts(one.url), _whereabouts(other.url)):
            yield (
                f"{one.by} and {other.by} are one place, {other.url}, and what is kept of a region never leaves it:"
                " name a bucket or folder for each that is no other's, nor in another's"
            )


def _whereabouts(url: str) -> tuple[str, ...]:
    """A bucket lies in one region, whatever the prefix (S3 API, GetBucketLocation). Links are followed."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return "s3", parts.netloc
    return "file", *os.path.realpath(unquote(parts.path)).split("/")[1:]


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
