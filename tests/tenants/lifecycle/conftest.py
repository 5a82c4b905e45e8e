"""What carries out archives, exits and destruction in this program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.app import owners_of
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.storage import storage_from
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.closing.exiting import Exits
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.mail.postmen import Post, ToFolder, post_office, use_post
from tenants.provisioning.birth import Nursery


@pytest.fixture
def works(catalog: Catalog, nursery: Nursery) -> Works:
    return Works(catalog, nursery.owner_urls, nursery.wrapper, nursery.head)


@pytest.fixture
def exits(catalog: Catalog, nursery: Nursery) -> Exits:
    """Without whoever destroys."""
    return Exits(catalog, nursery.owner_urls)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where mails go that are handed over at once."""
    before = post_office()
    use_post(Post(ToFolder(tmp_path), before.sender, before.public_url))
    yield tmp_path
    use_post(before)


@pytest.fixture
def destruction(settings: Settings) -> Destruction:
    return Destruction(key_versions(), storage_from(settings.storage), owners_of(settings))
