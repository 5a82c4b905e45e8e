"""A place without any mark, in a folder and in a bucket, for the tests of marks."""

from pathlib import Path

import pytest
from flask import Flask

from tenants.catalog.registry import Catalog
from tenants.isolation import bucket
from tenants.isolation.folder import Folder
from tenants.isolation.storage import Place, place_at
from tests.tenants.isolation.stored_files import one_client


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture(params=["folder", "bucket"])
def plain(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "place")
    monkeypatch.setattr(bucket, "_new_client", one_client)
    return place_at(request.getfixturevalue("s3_storage_url"))
