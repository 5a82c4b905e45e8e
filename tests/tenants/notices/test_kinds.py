"""Every kind of notice is known to the web process, where webhooks ask for it, and to whoever reads the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenants.notices.kinds import notice_kind
from tests.receivers import SNOWED

ROOT = Path(__file__).resolve().parents[3]
SAID = "import crm.app; from tenants.notices.kinds import notice_kinds; print(*notice_kinds())"
DECLARED = re.compile(r'notice_kind\(\s*"([^"]+)"')


@pytest.mark.soak
def test_the_web_process_knows_what_any_process_tells_and_so_does_the_page() -> None:
    web = subprocess.run([sys.executable, "-c", SAID], cwd=ROOT, capture_output=True, text=True, check=True)
    known = set(web.stdout.split())
    sources = (ROOT / "tenants").rglob("*.py")
    assert known == {name for each in sources for name in DECLARED.findall(each.read_text())}
    page = (ROOT / "docs" / "notices.md").read_text().split("| kind |")[1].split("##")[0]
    assert set(re.findall(r"`([a-z-]+\.[a-z_]+)`", page)) == known


@pytest.mark.parametrize("name", [SNOWED.name, "webhook.test", "nothing", "Two Words.x", "a.B"])
def test_a_name_that_is_taken_or_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="declared twice, or not called"):
        notice_kind(name, "?")
