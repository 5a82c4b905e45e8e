"""How programs that get along with fewer settings, or without some, read them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenants.foundation.settings import Settings


def settings_without_owner(data_dir: Path, *, found_at: str | None = None) -> "Settings":
    """The settings of web and workers: without the owner's login, even where the file has it.

    Where nothing says at which address people reach the program, they reach it where it is `found_at`. The environment
    is changed too, as the processes that these start read it again.
    """
    from tenants.foundation.settings import Settings, env_name

    os.environ["FREEHOLD_OWNER_DATABASE_URL"] = ""
    os.environ["FREEHOLD_DATA_DIR"] = str(data_dir)
    settings = Settings.read(data_dir)
    if found_at is None or "public_url" in settings.model_fields_set:
        return settings
    os.environ[env_name("public_url")] = found_at
    return Settings.read(data_dir)


def public_url() -> str:
    """Where people reach what runs with the data folder at hand; nothing else has to be set for it."""
    from dotenv import dotenv_values

    from tenants.foundation.settings import Settings, env_name

    name, file = env_name("public_url"), Path(os.environ.get("FREEHOLD_DATA_DIR") or "var") / "env"
    kept = dotenv_values(file, encoding="utf-8") if file.is_file() else {}
    return os.environ.get(name) or kept.get(name) or str(Settings.model_fields["public_url"].default)
