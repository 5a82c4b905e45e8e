"""History that came in a bundle is told apart from what was sealed here: its keys came along with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tenants.audit.seals import seal_events
from tenants.audit.verification import verify_log
from tenants.isolation.door import inside
from tenants.portability.arriving import bring_in
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace


@pytest.mark.soak
def test_seals_that_were_brought_are_not_counted_as_ours(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    tenant, catalog = new_workspace(), app.extensions["house"].catalog
    with inside(tenant.home):
        assert seal_events() > 0
    assert verify_log(catalog, tenant.home).brought == 0
    take_out(tenant.home, tmp_path / "bundle.zip", Format.CSV)
    report = verify_log(catalog, bring_in(nursery, tmp_path / "bundle.zip", "brought-history").home)
    assert (report.seals, report.brought, report.wrong) == (1, 1, [])
    assert verify_log(catalog, neighbour.home).brought == 0
