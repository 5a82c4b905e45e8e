"""When a tenant that nobody uses is archived, and when its admins are told before: a rule without a clock of its own.

Nobody is archived without every notice in its time: one that comes late puts off whatever follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Days before the archive at which all admins are told.
NOTICES = (30, 7, 1)


@dataclass(frozen=True, slots=True)
class Due:
    """What is due: a notice so many days before the archive, or the archive itself, when `notice` is None."""

    notice: int | None
    archive_at: datetime


def due(active_at: datetime, period: timedelta, told: Mapping[int, datetime], at: datetime) -> Due | None:
    """What is due at a moment, of a tenant that was last used at `active_at`; None when nothing is.

    `told` has when each notice was given since then, by its days. A sign-in makes `active_at` later, and whatever was
    told before no longer counts.
    """
    archive_at = active_at + period
    for days in NOTICES:
        given = told.get(days)
        if given is None or given < active_at:
            begins = archive_at - timedelta(days=days)
            return Due(days, max(archive_at, at + timedelta(days=days))) if at >= begins else None
        archive_at = max(archive_at, given + timedelta(days=days))
    return Due(None, archive_at) if at >= archive_at else None
