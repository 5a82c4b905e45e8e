"""Trips: statements sent together are prepared once, stop at the first that fails, and survive what a rollback undoes."""

import pytest
from psycopg import errors
from sqlalchemy import text

from tenants.isolation import trips
from tenants.isolation.door import db, here, inside
from tenants.isolation.reading import Question, read
from tenants.isolation.trips import Statement, Trips
from tests.workspace import Workspace

PREPARED = Statement(
    "select statement from pg_prepared_statements where name like 'trip%%' order by prepare_time", {}
)
OFTEN = 8


def _trips() -> Trips:
    found: Trips = here().connection.info["trips"]
    return found


def test_values_go_by_name_and_a_percent_sign_stays(acme: Workspace, neighbour: Workspace) -> None:
    question = Question(
        "select %(a)s::int + %(b)s::int + %(a)s::int, '100 %%', %(nothing)s::text",
        {"a": 1, "b": 40, "nothing": None},
    )
    for workspace in (acme, neighbour):
        for _ in range(OFTEN):
            assert read(workspace.home, question) == [[(42, "100 %", None)]]


def test_a_tenant_has_prepared_statements_of_its_own(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            for _ in range(OFTEN):
                here().ask("select count(*) from contacts where city = %(city)s", {"city": "x"})
            named = [each for (each,) in _trips().go(PREPARED)[0] if "from contacts where city" in each]
    assert f"/*{workspace.home.role}*/" in named[-1]


def test_what_follows_a_failure_is_not_done_and_the_connection_goes_on(
    acme: Workspace, neighbour: Workspace
) -> None:
    with pytest.raises(errors.DivisionByZero), inside(acme.home):
        _trips().go(
            Statement("select 1 / %(none)s::int", {"none": 0}),
            Statement("select set_config('search_path', 'somewhere', false)", {}),
        )
    with inside(neighbour.home):
        assert _trips().go(Statement("show search_path", {})) == [[('"$user"',)]]


def test_prepared_statements_survive_a_savepoint_that_is_rolled_back(
    acme: Workspace, neighbour: Workspace
) -> None:
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            for turn in range(OFTEN):
                here().ask("select %(turn)s::int", {"turn": turn})
                db().execute(text("select cast(:turn as int)"), {"turn": turn})
            savepoint = db().begin_nested()
            savepoint.rollback()
            assert here().ask("select %(turn)s::int", {"turn": OFTEN}) == [(OFTEN,)]


def test_a_name_that_somebody_took_away_is_missed_once(acme: Workspace, neighbour: Workspace) -> None:
    question = Question("select %(turn)s::int as taken", {"turn": 1})
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            for _ in range(OFTEN):
                here().ask(question.sql, question.values)
            connection = _trips()
            connection.go(Statement("deallocate all", {}))
            with pytest.raises(errors.InvalidSqlStatementName):
                here().ask(question.sql, question.values)
            here().connection.rollback()
        assert read(workspace.home, question) == [[(1,)]]


def test_a_connection_keeps_so_many_statements_and_no_more(
    acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trips, "MOST_KEPT", 3)
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            for number in range(6):
                for _ in range(OFTEN):
                    here().ask(f"select %(value)s::int as number_{number}", {"value": number})
            _trips().go(PREPARED)
            named = [each for (each,) in _trips().go(PREPARED)[0] if "as number_" in each]
            assert len(named) <= trips.MOST_KEPT
            assert "as number_5" in named[-1]
