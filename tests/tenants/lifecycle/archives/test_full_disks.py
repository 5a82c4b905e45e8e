"""PostgreSQL has no room for a tenant that comes back: nothing of it is lost, and with room again it comes back whole."""

from dataclasses import replace
from typing import Any

import pytest

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.lifecycle.archives import steps
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.attempts import FORESEEN
from tenants.provisioning.birth import Nursery
from tenants.provisioning.revisions import up_to
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of, content, steps_left
from tests.tenants.lifecycle.putting_away import furnished, must_be_back, must_be_whole_once
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

#: What PostgreSQL says by itself when a file of its can't grow (53100), from the statement or the commit that needed it.
SAID = "could not extend file: No space left on device"
FULL = f"begin raise exception '{SAID}' using errcode = 'disk_full'; end"
FUNCTION = f"create function no_room() returns trigger language plpgsql as $$ {FULL} $$"
TRIGGER = "before insert on contacts for each row execute function no_room()"
AT_THE_END = "after insert on contacts deferrable initially deferred for each row execute function no_room()"
OF_THE_OWNER = "DiskFull; it is tried again."
OF_THE_TENANT = "The database's disk is full. Nothing was changed; try again later."
#: The statements that fill the disk, in the first revision of a schema or in its last one, and what is on record then.
WHEN: dict[str, tuple[int, list[str], str]] = {
    "while it is built": (0, [f"do $$ {FULL} $$"], OF_THE_OWNER),
    "while it is filled": (-1, [FUNCTION, f"create trigger no_room {TRIGGER}"], OF_THE_TENANT),
    "when it is filled": (-1, [FUNCTION, f"create constraint trigger no_room {AT_THE_END}"], OF_THE_TENANT),
}


def bent(revision: str, when: str) -> list[Any]:
    """The steps to a schema on whose server the disk is full at some moment."""
    whole, (place, statements, _) = list(up_to(revision)), WHEN[when]
    whole[place] = replace(whole[place], statements=[*whole[place].statements, *statements])
    return whole


@pytest.mark.promise("4-20", "RET-2")
@pytest.mark.parametrize("when", WHEN)
def test_a_full_disk_of_the_database_holds_a_thaw_up_and_no_more(  # noqa: PLR0917 - the parts of its world
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch, when: str,
) -> None:  # fmt: skip
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive)
    kept = bundles_of(ours)
    ask_to_thaw(catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(steps, "up_to", lambda revision: bent(revision, when))
        for _ in range(2):
            with pytest.raises(FORESEEN):
                go_on(works, archive)
            assert steps_left(works, archive) is Step.FILLING
            assert (bundles_of(ours), catalog.state_of(ours.home.id)) == (kept, State.THAWING)
            must_be_whole_once(works, nursery, archive, ours, before)
            with catalog.transaction() as session:
                assert session.get_one(Archive, archive).error == WHEN[when][2]
            assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201
    go_on(works, archive)
    assert steps_left(works, archive) is Step.RETURNED
    must_be_back(ours, before, file)
