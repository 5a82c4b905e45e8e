"""That a tenant's own key is withheld, and that it opens again, is told once each, whatever is sealed with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenants.catalog.registry import Catalog
from tenants.isolation.keys import KeyRing
from tenants.isolation.sealing import keys, use_keys
from tenants.lifecycle.keys import watching
from tenants.lifecycle.keys.versions import key_versions
from tenants.lifecycle.keys.watching import BroughtKeys
from tenants.mail.postmen import Post, ToNobody, post_office, use_post
from tests.jobs import RunJobs
from tests.kms import Kms
from tests.tenants.lifecycle.letters import subjects
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

ROLE = "arn:aws:iam::123456789012:role/freehold"
WITHHELD, OPENED = "The key of your workspace is withheld", "The key of your workspace opens again"


@pytest.fixture
def no_memory() -> Iterator[None]:
    """Keys are opened anew each time that they are needed."""
    before = keys()
    use_keys(KeyRing(before._wrapper, key_versions().catalog.wrapped_keys, lifetime=0))
    yield
    use_keys(before)


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Workspace:
    tenant = new_workspace()
    run_jobs()
    return tenant


def brought(tenant: Workspace, kms: Kms) -> str:
    """The ARN of a key that the tenant brought."""
    arn = kms.new_key()
    kms.trusts[ROLE] = tenant.home.id.hex
    answer = tenant.admin.in_person.put("/keys/brought", {"key_arn": arn, "role_arn": ROLE})
    assert answer.status_code == 202, answer.json
    return arn


def notices(tenant: Workspace) -> list[Any]:
    listed = tenant.admin.get("/notices?sort=at").json["data"]
    return [each for each in listed if each["kind"].startswith("keys.")]


def kinds(tenant: Workspace) -> list[str]:
    return [each["kind"] for each in notices(tenant)]


def looked(watch: BroughtKeys, tenant: Workspace) -> list[int]:
    return [watch.watch(tenant.home.id) for _ in range(3)]


@pytest.mark.usefixtures("no_memory")
def test_it_is_told_when_it_is_withheld_and_when_it_opens_again_each_once(
    ours: Workspace, neighbour: Workspace, kms: Kms, catalog: Catalog, folder: Path
) -> None:
    arn, watch = brought(ours, kms), BroughtKeys(catalog)
    assert looked(watch, ours) == [0, 0, 0], "it works"
    kms.disable(arn)
    assert looked(watch, ours) == [0, 1, 0], "what is seen once may be a blink"
    (notice,) = notices(ours)
    assert (notice["kind"], notice["subject"]) == ("keys.withheld", WITHHELD)
    assert "is disabled" in notice["text"]
    assert "The owner of the key can undo it." in notice["text"]
    (mail,) = folder.glob("*.eml")
    assert f"Subject: {WITHHELD}" in mail.read_text()
    assert looked(BroughtKeys(catalog), ours) == [0, 0, 0], "another process knows what was told"
    kms.enable(arn)
    assert looked(watch, ours) == [0, 1, 0]
    assert kinds(ours) == ["keys.withheld", "keys.opened"]
    assert OPENED in subjects(ours)
    assert [mail] == list(folder.glob("*.eml"))
    said = ours.admin.get("/audit-events?resource=keys&sort=at").json["data"]
    assert [each["changes"]["state"] for each in said[-2:]] == [
        ["active", "disabled"],
        ["disabled", "active"],
    ]
    assert notices(neighbour) == []
    assert neighbour.admin.get(f"/notices/{notice['id']}").status_code == 404


@pytest.mark.soak
@pytest.mark.usefixtures("no_memory")
def test_a_mail_that_nobody_took_is_tried_again_and_another_state_is_told_anew(
    ours: Workspace, neighbour: Workspace, kms: Kms, catalog: Catalog, folder: Path
) -> None:
    arn, watch = brought(ours, kms), BroughtKeys(catalog)
    kms.disable(arn)
    taking, office = post_office(), post_office()
    use_post(Post(ToNobody(), office.sender, office.public_url))
    looked(watch, ours)
    assert kinds(ours) == ["keys.withheld"]
    use_post(taking)
    assert looked(watch, ours) == [0, 0, 0]
    assert len(list(folder.glob("*.eml"))) == 1
    kms.delete_later(arn)
    assert looked(watch, ours) == [0, 1, 0]
    assert kinds(ours) == ["keys.withheld", "keys.withheld"]
    assert len(list(folder.glob("*.eml"))) == 2
    assert notices(neighbour) == []


@pytest.mark.soak
@pytest.mark.usefixtures("no_memory")
def test_killed_before_a_mail_is_noted_it_is_sent_again_as_the_same(
    ours: Workspace, neighbour: Workspace, kms: Kms, catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def killed(*given: Any) -> bool:
        sending(*given)
        raise KeyboardInterrupt

    sending, watch = watching.mail_admins_at_once, BroughtKeys(catalog)
    kms.deny(brought(ours, kms))
    watch.watch(ours.home.id)
    with monkeypatch.context() as patched:
        patched.setattr(watching, "mail_admins_at_once", killed)
        with pytest.raises(KeyboardInterrupt):
            watch.watch(ours.home.id)
    looked(watch, ours)
    assert kinds(ours) == ["keys.withheld"]
    assert len(list(folder.glob("*.eml"))) == 1
    assert notices(neighbour) == []


@pytest.mark.usefixtures("no_memory")
def test_an_answer_that_does_not_come_says_nothing_of_a_key(
    ours: Workspace, neighbour: Workspace, kms: Kms, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(ours, kms)
    tried: list[object] = []

    def away(*given: object) -> tuple[str, str]:
        tried.append(given)
        return "unreachable", "AWS KMS did not answer."

    with monkeypatch.context() as patched:
        patched.setattr(watching, "state_of", away)
        assert looked(BroughtKeys(catalog), ours) == [0, 0, 0]
    assert len(tried) == 3, "of one region, one is asked at a time"
    assert notices(ours) == notices(neighbour) == []
