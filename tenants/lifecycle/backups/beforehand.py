"""What is looked at before a backup is brought in: that it fits, and that nothing is written over."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from tenants.catalog.models import Tenant
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation.errors import Conflict, Unavailable
from tenants.lifecycle.backups.agreeing import NOBODYS
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.changing import Owners
from tenants.provisioning.revisions import head, up_to
from tenants.support_access.staff.models import Staff


def must_fit(index: Mapping[str, Any], store: Store, owners: Owners, regions: Regions) -> None:
    """What a backup holds has to have a place here, and what chose a region comes back to no other.

    Raises Conflict, StorageFailed, Unavailable.
    """
    if index["catalog"]["revision"] != head("catalog"):
        program = index["about"]["program"]
        raise Conflict(
            f"This backup was taken by version {program}, and its catalog is of another revision than this program's."
            " Restore it with that version, then run `freehold migrate` with this one."
        )
    for cell in {each["cell"] for each in index["bundles"].values()} | {"main"}:
        if owners.get(cell) is None:
            raise Unavailable(
                f"The backup has tenants of the cell '{cell}', and the owner's URL of that is not set here."
            )
    for place in index.get("places", {}).values():
        store.within(place)
    for said in index["bundles"].values():
        regions.must_stay(said.get("region"), said["cell"])
        up_to(said["revision"])


def must_be_empty(catalog: Catalog) -> None:
    """Raises Conflict; what an earlier attempt left half done does not count."""
    if catalog.is_being_restored():
        return
    somebodys = select(func.count()).where(Tenant.state.not_in(NOBODYS))
    with catalog.transaction() as session:
        tenants = session.scalar(somebodys) or 0
        staff = session.scalar(select(func.count()).select_from(Staff)) or 0
    if tenants or staff:
        raise Conflict(
            f"This installation is not empty: it has {tenants} tenants and {staff} of our own people. A backup is"
            " brought into an empty one only, so that nothing is ever written over."
        )
