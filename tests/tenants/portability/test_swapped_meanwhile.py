"""A file in whose place another is put while it is brought in leaves nothing behind, whoever said its SHA-256."""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.opening import AnotherFile
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace


@pytest.mark.soak
@pytest.mark.parametrize("phase", ["import", "compare"])
def test_what_is_put_in_its_place_meanwhile_is_not_brought_in(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path, phase: str
) -> None:
    ours = new_workspace()
    file, sound, other = (tmp_path / name for name in ("file.zip", "sound.zip", "other.zip"))
    take_out(ours.home, sound, Format.JSONL)
    ours.admin.post("/contacts", {"last_name": "Later"})
    take_out(ours.home, other, Format.JSONL)
    others, said = content_of(neighbour.home), sha256(sound.read_bytes()).hexdigest()

    def swap(at: str, _table: str, _rows: int) -> None:
        if at == phase:
            Path(shutil.copy(other, tmp_path / "new.zip")).replace(file)

    slug = f"swapped-at-{phase}"
    for sha in (said, None):
        shutil.copy(sound, file)
        with pytest.raises(AnotherFile):
            bring_in(nursery, file, slug, sha256=sha, tell=swap)
        assert nursery.catalog.by_slug(slug) is None
    assert bring_in(nursery, sound, slug, sha256=said).home
    assert differences(content_of(neighbour.home), others) == []
