"""A domain whose DNS record is gone: its tenant is told and has a week; then it is whose who can prove it."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.dns_records import look_up_records, use_records
from tenants.foundation.errors import Conflict, Unavailable
from tenants.http.rate_limits import Allowance
from tenants.identity.models import User
from tenants.identity.single_sign_on.api import signing_in
from tenants.identity.single_sign_on.domains import claims_of_house, domain_of, is_ours
from tenants.identity.single_sign_on.jobs import recheck_domains
from tenants.identity.single_sign_on.models import ClaimedDomain
from tenants.identity.single_sign_on.rechecking import GRACE
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.providers import own_domain
from tests.timing import fair, took_longer
from tests.workspace import Workspace

RunJobs = Callable[[], int]
Records = dict[str, list[str]]


@pytest.fixture
def records() -> Iterator[Records]:
    """What DNS says in this test."""
    said: Records = {}
    use_records(lambda name: said.get(name, []))
    yield said
    use_records(look_up_records)


@pytest.fixture(scope="module")
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.fixture
def proven(ours: Workspace, neighbour: Workspace, records: Records) -> dict[str, Any]:
    """A claim of ours that is proven."""
    return _proven(ours, records, f"d{secrets.token_hex(6)}.example.org")


def _proven(workspace: Workspace, records: Records, domain: str) -> dict[str, Any]:
    claim = workspace.admin.in_person.post("/claimed-domains", {"domain": domain}).json
    records[f"_freehold.{domain}"] = [f"freehold-domain={claim['proof']}"]
    answer = workspace.admin.in_person.put(f"/claimed-domains/{claim['id']}/proof")
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def recheck(workspace: Workspace, run_jobs: RunJobs) -> None:
    with inside(workspace.home):
        act_as(SYSTEM)
        recheck_domains.later()
    run_jobs()


def shown(workspace: Workspace, claim: dict[str, Any]) -> dict[str, Any]:
    return dict(workspace.admin.get(f"/claimed-domains/{claim['id']}").json)


def a_week_later(workspace: Workspace) -> None:
    """As if what is missing had been missing for a week."""
    with inside(workspace.home) as tenancy:
        table: Any = ClaimedDomain.__table__
        earlier = update(table).where(table.c.missing_since.is_not(None))
        tenancy.session.execute(
            earlier.values(missing_since=now() - GRACE), execution_options={"audited": True}
        )


def mails_about(workspace: Workspace, domain: str) -> list[str]:
    with inside(workspace.home):
        address = db().scalars(select(User.email).where(User.id == workspace.admin.user_id)).one()
    return [each.subject for each in posted(workspace, address or "") if domain in each.subject]


def home_of(claim: dict[str, Any]) -> Any:
    return claims_of_house().home_of(claim["domain"])


def test_a_record_that_is_gone_is_told_of_once_and_nothing_happens_for_a_week(
    ours: Workspace, neighbour: Workspace, proven: dict[str, Any], records: Records, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("tenants.mail.postmen.ToFolder.deliver", _hold_back)
    records.clear()
    for _ in range(2):
        recheck(ours, run_jobs)
    said = shown(ours, proven)
    assert said["verified_at"]
    assert said["missing_since"]
    assert mails_about(ours, proven["domain"]) == [f"The DNS record of {proven['domain']} is gone"]
    assert home_of(proven) == ours.home
    records[f"_freehold.{proven['domain']}"] = [f"freehold-domain={proven['proof']}"]
    recheck(ours, run_jobs)
    assert shown(ours, proven)["missing_since"] is None


def _hold_back(*_mail: object) -> None:
    raise Unavailable("The post is on holiday.")


def test_after_a_week_the_domain_is_whose_who_proves_it(
    ours: Workspace, neighbour: Workspace, proven: dict[str, Any], records: Records, run_jobs: RunJobs
) -> None:
    records.clear()
    recheck(ours, run_jobs)
    a_week_later(ours)
    recheck(ours, run_jobs)
    said = shown(ours, proven)
    assert (said["verified_at"], said["missing_since"]) == (None, None)
    assert home_of(proven) is None
    with inside(ours.home):
        assert not is_ours(f"anybody@{proven['domain']}")
    path = f"/audit-events?record_id={proven['id']}&action=claimed-domains.lost"
    assert len(ours.admin.get(path).json["data"]) == 1
    theirs = _proven(neighbour, records, proven["domain"])
    recheck(ours, run_jobs)
    assert home_of(theirs) == neighbour.home, "what we lost long ago is theirs now, and stays theirs"
    recheck(neighbour, run_jobs)
    assert shown(neighbour, theirs)["missing_since"] is None
    assert ours.admin.in_person.put(f"/claimed-domains/{proven['id']}/proof").status_code == 409


def test_where_dns_does_not_answer_nothing_is_concluded(
    ours: Workspace, neighbour: Workspace, proven: dict[str, Any], run_jobs: RunJobs
) -> None:
    def away(_name: str) -> list[str]:
        raise Unavailable("DNS does not answer at the moment. Try again.")

    use_records(away)
    recheck(ours, run_jobs)
    assert shown(ours, proven)["missing_since"] is None
    assert home_of(proven) == ours.home


def test_a_death_between_losing_and_saying_so_is_made_good_by_the_next_round(
    ours: Workspace, neighbour: Workspace, proven: dict[str, Any], records: Records, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    records.clear()
    recheck(ours, run_jobs)
    a_week_later(ours)
    with monkeypatch.context() as patch:
        patch.setattr("tenants.identity.single_sign_on.domains.DomainClaims.give_up", lambda *_said: None)
        recheck(ours, run_jobs)
    assert shown(ours, proven)["verified_at"] is None
    assert home_of(proven) == ours.home
    recheck(ours, run_jobs)
    assert home_of(proven) is None


#: What somebody who is looked for adds to a request is small beside what other work on the machine does.
MANY = 400


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_enumeration_ways_to_sign_in_take_as_long_for_somebody_as_for_nobody(
    app: Flask, ours: Workspace, neighbour: Workspace, proven: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign test over interleaved pairs; the same test has to notice when somebody is looked for."""
    known = f"known@{proven['domain']}"
    with inside(ours.home):
        act_as(SYSTEM)
        db().add(User(name="Known", email=known, source="system"))

    def ask(email: str) -> None:
        assert app.test_client().post("/api/v1/sign-in-methods", json={"email": email}).status_code == 200

    def longer() -> int:
        unknown = f"@{proven['domain']}"
        return took_longer(lambda: ask(known), lambda: ask(f"no{secrets.token_hex(6)}{unknown}"), MANY)

    monkeypatch.setattr(signing_in, "PER_ADDRESS", Allowance("single-sign-on-tested", 10**6))
    assert longer() in fair(MANY)
    real = signing_in.domain_of

    def looked_for(email: str) -> str:
        if email == known:
            claims_of_house().home_of(domain_of(email))
        return real(email)

    monkeypatch.setattr(signing_in, "domain_of", looked_for)
    assert longer() not in fair(MANY)


def test_a_domain_by_the_platforms_word_needs_no_record_and_is_nobody_elses(
    app: Flask, ours: Workspace, neighbour: Workspace, records: Records, run_jobs: RunJobs
) -> None:
    domain = f"d{secrets.token_hex(6)}.example.org"
    own_domain(app, ours, domain)
    for _ in range(2):
        recheck(ours, run_jobs)
        with inside(ours.home):
            claimed = db().scalars(select(ClaimedDomain).where(ClaimedDomain.domain == domain)).one()
            assert claimed.missing_since is None
            assert is_ours(f"ada@{domain}")
    claim = neighbour.admin.in_person.post("/claimed-domains", {"domain": domain}).json
    records[f"_freehold.{domain}"] = [f"freehold-domain={claim['proof']}"]
    refused = neighbour.admin.in_person.put(f"/claimed-domains/{claim['id']}/proof")
    assert (refused.status_code, refused.json["code"]) == (409, "claimed_elsewhere")
    with pytest.raises(Conflict, match="another workspace"):
        own_domain(app, neighbour, domain)
    events = ours.admin.get("/audit-events?action=claimed-domains.assigned").json["data"]
    assert [each["changes"]["why"] for each in events if each["record_id"] == str(claimed.id)] == [
        [None, "For a test."]
    ]
    assert ours.admin.in_person.delete(f"/claimed-domains/{claimed.id}").status_code == 204
    assert neighbour.admin.in_person.put(f"/claimed-domains/{claim['id']}/proof").status_code == 200
