"""Walking over many tenants: one that is out of reach holds up nobody else."""

import pytest

from tenants.catalog.registry import Home
from tenants.foundation.errors import Unavailable
from tenants.foundation.identifiers import new_id
from tenants.isolation.walking import walk
from tests.workspace import Workspace


def test_a_cell_that_nobody_knows_is_left_out(acme: Workspace, neighbour: Workspace) -> None:
    lost = Home(new_id(), "lost")
    found = dict(walk([acme.home, lost, neighbour.home], "select current_user::text", {}))
    assert found == {home: [(home.role,)] for home in (acme.home, neighbour.home)}
    with pytest.raises(Unavailable):
        list(walk([lost], "select 1", {}))
