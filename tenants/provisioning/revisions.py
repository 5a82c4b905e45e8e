"""The two lines of revisions (catalog and tenant), each rendered once to the statements it consists of."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from threading import Lock

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from tenants.foundation.errors import Conflict

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Revision:
    """One step of a line: its statements, and whether they run in a transaction (concurrent indexes can't)."""

    name: str
    statements: tuple[str, ...]
    transactional: bool


@cache
def head(line: str = "tenant") -> str:
    """The newest revision of a line. A RuntimeError when the line has two heads or none."""
    found = _directory(line).get_current_head()
    if found is None:
        message = f"migrations/{line} has no revision."
        raise RuntimeError(message)
    return found


def steps(line: str, since: str | None) -> tuple[Revision, ...]:
    """The revisions after `since` (from the very first, when it is None) in order."""
    with _one_at_a_time:
        return _steps(line, since)


def up_to(revision: str, line: str = "tenant") -> tuple[Revision, ...]:
    """The revisions from the very first up to this one. Raises Conflict for one that this program does not know."""
    known = steps(line, None)
    names = [each.name for each in known]
    if revision not in names:
        raise Conflict(f"This is of revision {revision}, which this program does not know.")
    return known[: names.index(revision) + 1]


#: Alembic's `op` belongs to the process: two tenants that are migrated at once must not render at once.
_one_at_a_time = Lock()


@cache
def _steps(line: str, since: str | None) -> tuple[Revision, ...]:
    return tuple(_render(line, since))


def _render(line: str, since: str | None) -> Iterator[Revision]:
    directory = _directory(line)
    ahead = list(directory.iterate_revisions("head", since or "base"))
    for script in reversed(ahead):
        written: list[str] = []
        context = MigrationContext.configure(
            dialect_name="postgresql",
            opts={"as_sql": True, "output_buffer": StringIO(), "literal_binds": True},
        )
        context.impl.static_output = written.append  # type: ignore[method-assign,assignment]
        with Operations.context(context):
            script.module.upgrade()
        statements = tuple(each.strip().rstrip(";") for each in written if each.strip())
        yield Revision(script.revision, statements, getattr(script.module, "transactional", True))


@cache
def _directory(line: str) -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS / line))
