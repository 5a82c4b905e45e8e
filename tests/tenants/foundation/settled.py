"""Settings that are enough, and what is said of those that are not."""

from pathlib import Path

import pytest

from tenants.foundation.settings import Settings
from tenants.foundation.settings_sources import SettingsError

URLS = {
    "DATABASE_URL": "postgresql://freehold_app:secret@db/freehold",
    "REDIS_URL": "redis://:secret@redis:6379/0",
    "FREEHOLD_CATALOG_DATABASE_URL": "postgresql://freehold_catalog:secret@db/freehold",
}


def refusal(data_dir: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.read(data_dir)
    return str(refused.value)
