"""What a move leaves behind is out of reach, also for who was there before."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tenants.foundation.settings import Settings
from tenants.isolation.aside import aside_name
from tenants.isolation.memberships import settle
from tenants.lifecycle.moves.models import Step
from tenants.lifecycle.moves.running import Works
from tests.tenants.lifecycle.moves.world import moved
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@contextmanager
def staff_of(settings: Settings) -> Iterator[psycopg.Connection]:
    url = make_url(str(settings.staff_database_url)).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection


@pytest.mark.soak
def test_the_role_that_staff_took_before_a_move_reads_nothing_that_was_left_behind(
    ours: Workspace, neighbour: Workspace, works: Works, settings: Settings
) -> None:
    role, left = ours.home.role, aside_name(ours.home.id)
    settle(works.owners["main"], {role}, over=False)
    count = sql.SQL("select count(*) from {}")
    with staff_of(settings) as staff:
        staff.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        assert staff.execute(count.format(sql.Identifier(role, "contacts"))).fetchone() == (1,)
        assert moved(works, ours, "second").step == Step.KEPT
        with pytest.raises(psycopg.OperationalError):
            staff.execute(count.format(sql.Identifier(left, "contacts")))
    with staff_of(settings) as staff:
        for each in (role, left, neighbour.home.role):
            with pytest.raises(psycopg.Error, match=r"does not exist|permission denied"):
                staff.execute(sql.SQL("set role {}").format(sql.Identifier(each)))
