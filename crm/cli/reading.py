"""How programs that may not change the database's structure read their settings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.foundation.settings import Settings


def settings_without_owner(data_dir: Path) -> "Settings":
    """The settings of web and workers: without the owner's login, even where the file has it.

    The environment is changed too, as the processes that these start read it again.
    """
    from tenants.foundation.settings import Settings

    os.environ["FREEHOLD_OWNER_DATABASE_URL"] = ""
    os.environ["FREEHOLD_DATA_DIR"] = str(data_dir)
    return Settings.read(data_dir)
