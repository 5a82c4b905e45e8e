"""A tenant that is put away and comes back in the tests, and what must be true of it all the while."""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import update

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import Mover
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.closing.exiting import ask_to_close
from tenants.lifecycle.closing.periods import longest_wait
from tenants.provisioning.birth import Nursery
from tests.attaching import CONTENT, attached
from tests.tenants.lifecycle.archives.archived import (
    TELLS_OF_THE_WAY,
    bundles_of,
    content,
    has_schema,
    steps_left,
)
from tests.workspace import Workspace

#: The steps at which the bundle is the tenant; before them it is the schema.
IN_STORAGE = (Step.KEPT, Step.FILLING)


def furnished(tenant: Workspace) -> str:
    """Give it records, sealed values and a file; the id of the file."""
    parent = tenant.admin.post("/companies", {"name": "Parent", "bank_account": "DE89 3704"}).json["id"]
    tenant.admin.post("/companies", {"name": "Child", "parent_id": parent})
    awkward = {"last_name": 'quotes " and commas, \\N', "national_id": "sealed", "tags": ["a,b"]}
    contact = tenant.admin.post("/contacts", awkward).json["id"]
    made: str = attached(tenant.admin, "contacts", contact)["id"]
    return made


def closed_and_never_woken(catalog: Catalog, home: Home) -> None:
    """An archived tenant is to end, and could not be woken for its exit for as long as anybody has to try."""
    ask_to_close(catalog, home, Decision(Mover.OPERATOR, "It ended."), notice=0, transition=30, retrieval=30)
    ago = {"thaw_asked_at": Archive.thaw_asked_at - longest_wait()}
    with catalog.transaction() as session:
        session.execute(update(Archive).where(Archive.tenant_id == home.id).values(ago))


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The tables that differ though they shouldn't."""
    return {name for name in before if before[name] != after[name]} - TELLS_OF_THE_WAY


def must_be_whole_once(
    works: Works, nursery: Nursery, archive_id: Any, tenant: Workspace, before: dict[str, str]
) -> None:  # fmt: skip
    """It is all there, in its schema or in storage, and nobody writes to it while it might be in both."""
    steps_left(works, archive_id)
    is_whole_once(works, nursery, archive_id, tenant, before)


def is_whole_once(
    works: Works,
    nursery: Nursery,
    archive_id: Any,
    tenant: Workspace,
    before: dict[str, str],
    but: AbstractSet[str] = frozenset(),
) -> None:
    """Likewise, while somebody may be at it; `but` are tables that may differ."""
    works.catalog.forget(tenant.home.id)  # what another process did is not remembered here
    with works.catalog.transaction() as session:
        archive = session.get_one(Archive, archive_id)
        step, file = Step(archive.step), archive.file
    if step in IN_STORAGE or (step is Step.DROPPING and not has_schema(nursery, tenant)):
        assert file in bundles_of(tenant)
    else:
        different = changed(before, content(tenant)) - but
        assert not different, different
    if step is not Step.RETURNED and works.catalog.state_of(tenant.home.id) is not State.ACTIVE:
        late = tenant.admin.post("/contacts", {"last_name": "Late"})
        assert late.status_code in (423, 503), late.json


def must_be_back(
    tenant: Workspace, before: dict[str, str], file: str, but: AbstractSet[str] = frozenset()
) -> None:  # fmt: skip
    """It is itself again, with its files, and can be worked in; `but` are tables that may differ."""
    assert changed(before, content(tenant)) - but == set()
    assert tenant.admin.get(f"/attachments/{file}/download").data == CONTENT
    assert {each["national_id"] for each in tenant.admin.get("/contacts").json["data"]} == {"sealed"}
    assert bundles_of(tenant) == []
    assert tenant.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
