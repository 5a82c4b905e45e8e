"""The table of states against one that was written by hand: no right is wider, and nobody moves a tenant who is not here.

It repeats what `tenants/catalog/states.py` says on purpose. Whoever widens one of them is asked by the other.
"""

from itertools import product

import pytest

from tenants.catalog.models import State
from tenants.catalog.states import MOVES, PERMITS, WRITABLE, Mover, must_be_a_move, refusal_of
from tenants.foundation.errors import Conflict

#: state: sign-in, reads, writes, jobs that are handed out, visits, the status and the code of whoever is refused.
PERMITTED = """
    making      no   no   no   none    no   503  tenant_making
    spare       no   no   no   none    no   503  tenant_spare
    claimed     no   no   no   none    no   503  tenant_claimed
    active      yes  yes  yes  all     yes  409  tenant_active
    fenced      no   no   no   none    no   503  unavailable
    suspended   yes  yes  no   always  yes  403  tenant_suspended
    frozen      no   yes  no   none    no   503  tenant_frozen
    archiving   no   yes  no   none    no   423  tenant_archiving
    archived    no   no   no   none    no   423  tenant_archived
    thawing     no   no   no   none    no   503  tenant_thawing
    moving      no   yes  no   none    no   503  tenant_moving
    closing     yes  yes  no   always  yes  403  tenant_closing
    destroyed   no   no   no   none    no   410  tenant_destroyed
"""

#: before, after: who may. What is not here, nobody may.
MOVED = """
    making     spare      platform
    spare      claimed    admin operator platform
    claimed    active     platform
    active     suspended  operator
    active     frozen     admin operator platform
    active     closing    platform
    suspended  active     operator
    suspended  frozen     operator platform
    suspended  closing    platform
    frozen     active     operator platform
    frozen     suspended  operator platform
    frozen     archiving  platform
    frozen     moving     platform
    archiving  archived   platform
    archiving  frozen     platform
    archived   thawing    admin operator
    thawing    active     platform
    thawing    suspended  platform
    thawing    destroyed  operator
    moving     active     platform
    moving     suspended  platform
    closing    active     admin operator
    closing    suspended  admin operator
    closing    destroyed  platform
"""


def lines(written: str) -> list[list[str]]:
    return [line.split() for line in written.strip().splitlines()]


@pytest.mark.promise("4-05", "EXP-1", "TEN-3")
def test_each_state_permits_what_is_written_here_and_nothing_else() -> None:
    found = []
    for state in State:
        permits, refusal = PERMITS[state], refusal_of(state)
        rights = (permits.sign_in, permits.reads, permits.writes, permits.visits)
        sign_in, reads, writes, visits = ("yes" if each else "no" for each in rights)
        refused = [str(refusal.status), refusal.stable_code]
        found.append([state.value, sign_in, reads, writes, permits.work.value, visits, *refused])
    assert found == lines(PERMITTED)
    assert PERMITS.keys() == set(State)


def test_exports_go_on_where_jobs_do_and_all_is_written_where_no_more_than_the_house_has_to() -> None:
    rows = {State(name): (writes, work) for name, _, _, writes, work, *_ in lines(PERMITTED)}
    assert {each for each in State if PERMITS[each].exports} == {State.ACTIVE, State.SUSPENDED, State.CLOSING}
    assert set(WRITABLE) == {each for each, (_, work) in rows.items() if work != "none"}


def test_each_way_from_one_state_to_another_is_for_who_is_written_here_and_for_nobody_else() -> None:
    expected = {(before, after): set(movers) for before, after, *movers in lines(MOVED)}
    assert {(before.value, after.value): set(movers) for (before, after), movers in MOVES.items()} == expected


@pytest.mark.parametrize("before", State, ids=str)
def test_who_is_not_written_here_is_refused(before: State) -> None:
    """Asked as those ask who move tenants: each pair, by each mover."""
    expected = {(before, after): movers for before, after, *movers in lines(MOVED)}
    for after, mover in product(State, Mover):
        if mover in expected.get((before, after), ()):
            must_be_a_move(before, after, mover)
        else:
            with pytest.raises(Conflict) as refused:
                must_be_a_move(before, after, mover)
            assert refused.value.stable_code == "state_conflict"
