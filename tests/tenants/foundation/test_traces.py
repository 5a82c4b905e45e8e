"""A trace in the log says what broke and where, and nothing that somebody may have entered."""

import pytest
import sqlalchemy as sa

from tenants.foundation.traces import trace
from tenants.isolation.door import db, inside
from tests.workspace import Workspace

ENTERED = "".join(reversed("rabiznaZ"))


def _trace_of(break_something) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, its trace is looked at
        break_something()
    return trace((caught.type, caught.value, caught.tb))


def test_a_value_in_an_error_of_the_database_stays_out(acme: Workspace, neighbour: Workspace) -> None:
    def twice() -> None:
        for workspace in (acme, neighbour):
            with inside(workspace.home):
                statement = sa.text(
                    "insert into teams (id, name, source) values (:id, :name, 'x'), (:id, :name, 'x')"
                )
                db().execute(statement, {"id": workspace.home.id, "name": ENTERED})

    told = _trace_of(twice)

    assert ENTERED not in told
    assert "then:" in told
    assert "in twice" in told
    assert "sqlalchemy.exc.IntegrityError" in told
    assert "psycopg.errors.NotNullViolation 23502" in told


def test_a_value_in_any_other_error_stays_out() -> None:
    assert ENTERED not in _trace_of(lambda: int(ENTERED))
    assert ENTERED not in _trace_of(lambda: {}[ENTERED])


def test_what_code_says_of_itself_is_told() -> None:
    def outside() -> None:
        db()

    assert "RuntimeError: This runs inside a tenant only" in _trace_of(outside)
