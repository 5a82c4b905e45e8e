"""Retention rules: written, previewed, switched on and off by those who may, and off again when they change."""

from uuid import uuid4

import pytest

from tenants.retention.keeping import Kept, kinds, unruled
from tests.tenants.identity.rights.people import person
from tests.tenants.retention.world import (
    contact,
    rule,
    switch_on,
)
from tests.workspace import Workspace


def test_a_rule_that_is_changed_is_off_until_it_was_looked_at_again(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = rule(acme, period="P100Y")
    assert acme.admin.patch(f"/retention-rules/{made}", {"period": "P99Y"}).json["code"] == "needs_session"
    changed = acme.admin.in_person.patch(f"/retention-rules/{made}", {"period": "P99Y"})
    assert changed.json["enabled"] is False
    assert changed.json["previewed_at"] is None
    again = acme.admin.in_person.put(f"/retention-rules/{made}/enablement")
    assert (again.status_code, again.json["code"]) == (409, "not_previewed")
    switch_on(acme, made)
    refused = acme.admin.delete(f"/retention-rules/{made}")
    assert (refused.status_code, refused.json["code"]) == (409, "rule_enabled")
    assert neighbour.admin.in_person.delete(f"/retention-rules/{made}/enablement").status_code == 404
    assert acme.admin.in_person.delete(f"/retention-rules/{made}/enablement").json["enabled"] is False
    assert acme.admin.delete(f"/retention-rules/{made}").status_code == 204
    done = [each["action"] for each in acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]]
    assert done.count("retention-rules.enabled") == 2
    assert (done[0], done[-1]) == ("retention-rules.created", "retention-rules.deleted")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"resource": "users"}, "resource"),
        ({"resource": "products"}, "resource"),
        ({"trigger": "purpose_ended"}, "trigger"),
        ({"trigger": "full moon"}, "trigger"),
        ({"period": "30"}, "period"),
        ({"period": "PT1H"}, "period"),
        ({"period": "P300Y"}, "period"),
        ({"legal_source": ""}, "legal_source"),
        ({"action": "anonymise"}, "action"),
        ({"record_ids": []}, "record_ids"),
        ({"record_ids": [str(uuid4())]}, "record_ids"),
        ({"resource": "bin", "action": "retain"}, "resource"),
        ({"resource": "bin", "trigger": "inactive"}, "resource"),
        ({"enabled_at": "2026-01-01T00:00:00Z"}, "enabled_at"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(acme: Workspace, said: dict, field: str) -> None:
    body = {
        "name": uuid4().hex, "resource": "contacts", "action": "delete", "trigger": "created", "period": "P1Y",
        "legal_source": "x", **said,
    }  # fmt: skip
    answer = acme.admin.post("/retention-rules", body)
    assert answer.status_code == 422
    assert field in str(answer.json["errors"])


def test_a_neighbours_record_can_be_ruled_no_more_than_one_that_never_was(
    acme: Workspace, neighbour: Workspace
) -> None:
    body = {
        "name": uuid4().hex, "resource": "contacts", "action": "delete", "trigger": "created", "period": "P1Y",
        "legal_source": "x",
    }  # fmt: skip
    answers = [
        acme.admin.post("/retention-rules", {**body, "record_ids": [each]})
        for each in (contact(neighbour), str(uuid4()))
    ]
    assert [each.status_code for each in answers] == [422, 422]
    assert answers[0].json["errors"] == answers[1].json["errors"]


def test_rules_are_switched_on_by_people_with_the_right_who_just_confirmed_who_they_are(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = rule(acme, on=False, period="P100Y")
    acme.admin.post(f"/retention-rules/{made}/preview")
    path = f"/retention-rules/{made}/enablement"
    unconfirmed = person(acme, "Hasty", "admin", confirmed=False).in_person
    tries = {"needs_session": acme.admin, "not_allowed": acme.manager.in_person, "step_up": unconfirmed}
    for code, client in tries.items():
        answer = client.put(path)
        assert (answer.status_code, answer.json["code"]) == (403, code)
    assert neighbour.admin.in_person.put(path).status_code == 404


@pytest.mark.promise("0-09", "RET-1")
def test_every_audited_kind_of_record_has_rules_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(unruled()) == []
    without = {name: each for name, each in kinds().items() if name != "contacts"}
    monkeypatch.setattr("tenants.retention.keeping._kept", without)
    assert list(unruled()) == ["Contact is kept without end, and does not say why (__unruled__)."]
    assert all(isinstance(each, Kept) for each in kinds().values())
