"""Setting up single sign-on: providers, domains, and signing in with nothing else."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.dns_records import look_up_records, use_records
from tenants.identity.holding import ADMIN
from tenants.identity.models import Role, User, UserRole
from tenants.identity.signing_in.models import Authenticator, Password
from tenants.identity.signing_in.passwords import hash_of
from tenants.isolation.door import db, inside
from tests.providers import CLIENT, SECRET, Browser, Provider, running_provider
from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Workspace

PASSWORD = "correct horse battery staple 7"


@pytest.fixture
def records() -> Iterator[dict[str, list[str]]]:
    """What DNS says in this test."""
    said: dict[str, list[str]] = {}
    use_records(lambda name: said.get(name, []))
    yield said
    use_records(look_up_records)


def fields(provider: Provider, **more: Any) -> dict[str, Any]:
    return {
        "name": f"Login {secrets.token_hex(4)}",
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        **more,
    }


def claimed(workspace: Workspace, domain: str) -> dict[str, Any]:
    made = workspace.admin.in_person.post("/claimed-domains", {"domain": domain})
    assert made.status_code == 201, made.json
    return made.json


def prove(workspace: Workspace, claim: dict[str, Any]) -> Any:
    return workspace.admin.in_person.put(f"/claimed-domains/{claim['id']}/proof")


def a_domain() -> str:
    return f"d{secrets.token_hex(6)}.example.org"


def test_a_provider_is_asked_what_it_is_like_and_its_secret_is_never_shown(
    acme: Workspace, neighbour: Workspace, provider: Provider
) -> None:
    made = acme.admin.in_person.post("/identity-providers", fields(provider))
    assert made.status_code == 201, made.json
    assert "/.well-known/openid-configuration" in provider.asked
    path = f"/identity-providers/{made.json['id']}"
    assert SECRET not in acme.admin.get(path).get_data(as_text=True)
    assert neighbour.admin.get(path).status_code == 404
    assert SECRET not in acme.admin.get(f"/audit-events?record_id={made.json['id']}").get_data(as_text=True)
    assert acme.admin.in_person.delete(path).status_code == 204
    assert acme.admin.get(path).status_code == 404


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://user@127.0.0.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_wrongly_is_not_kept(
    acme: Workspace, neighbour: Workspace, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.metadata = lie
    answer = acme.admin.in_person.post("/identity-providers", fields(provider))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["issuer"])


@pytest.mark.parametrize(
    "issuer", ["http://169.254.169.254", "http://10.0.0.1", "ftp://127.0.0.1", "https://[::ffff:10.0.0.1]"]
)
def test_ssrf_an_issuer_leads_to_no_address_of_ours(
    acme: Workspace, neighbour: Workspace, provider: Provider, issuer: str
) -> None:
    answer = acme.admin.in_person.post("/identity-providers", fields(provider, issuer=issuer))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["issuer"])


def test_only_people_who_may_do_set_it_up(acme: Workspace, neighbour: Workspace, provider: Provider) -> None:
    assert acme.admin.post("/identity-providers", fields(provider)).json["code"] == "needs_session"
    assert acme.manager.in_person.post("/identity-providers", fields(provider)).status_code == 403
    assert acme.manager.get("/claimed-domains").status_code == 403


def test_nobody_with_less_than_everything_says_where_people_sign_in(
    acme: Workspace, neighbour: Workspace, provider: Provider
) -> None:
    rights = [f"identity-providers:{each}" for each in ("read", "create", "edit")]
    mallory = somebody_who_may(acme, dict.fromkeys(rights, "all"))
    kept = acme.admin.in_person.post("/identity-providers", fields(provider)).json

    for refused in (
        mallory.post("/identity-providers", fields(provider)),
        mallory.patch(f"/identity-providers/{kept['id']}", {"client_id": "mine"}),
    ):
        assert (refused.status_code, refused.json["code"]) == (403, "beyond_own_rights")
    assert mallory.get(f"/identity-providers/{kept['id']}").json["client_id"] == CLIENT
    assert neighbour.admin.get(f"/identity-providers/{kept['id']}").status_code == 404


def test_a_domain_is_the_tenants_once_its_record_is_there(
    app: Flask, acme: Workspace, neighbour: Workspace, provider: Provider, records: dict[str, list[str]]
) -> None:
    domain = a_domain()
    claim = claimed(acme, domain)
    assert prove(acme, claim).json["code"] == "record_missing"
    records[f"_freehold.{domain}"] = ["v=spf1 -all", f"freehold-domain={claim['proof']}"]
    assert prove(neighbour, claim).status_code == 404
    assert prove(acme, claim).json["verified_at"]
    theirs = claimed(neighbour, domain)
    assert prove(neighbour, theirs).json["code"] == "record_missing"
    records[f"_freehold.{domain}"] = [f"freehold-domain={theirs['proof']}"]
    assert prove(neighbour, theirs).json["code"] == "claimed_elsewhere"
    assert acme.admin.in_person.delete(f"/claimed-domains/{claim['id']}").status_code == 204
    assert prove(neighbour, theirs).status_code == 200


def test_of_two_tenants_that_prove_a_domain_at_once_one_gets_it(
    acme: Workspace, neighbour: Workspace, records: dict[str, list[str]]
) -> None:
    for _ in range(5):
        domain = a_domain()
        claims = [(each, claimed(each, domain)) for each in (acme, neighbour)]
        records[f"_freehold.{domain}"] = [f"freehold-domain={claim['proof']}" for _, claim in claims]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda pair: prove(*pair).status_code, claims))
        assert sorted(answers) == [200, 409]


def test_enumeration_ways_to_sign_in_depend_on_the_domain_alone(
    app: Flask, acme: Workspace, neighbour: Workspace, provider: Provider, records: dict[str, list[str]]
) -> None:
    domain = a_domain()
    claim = claimed(acme, domain)
    made = acme.admin.in_person.post("/identity-providers", fields(provider)).json

    def ways(email: str) -> list[dict[str, Any]]:
        answer = app.test_client().post("/api/v1/sign-in-methods", json={"email": email})
        assert answer.status_code == 200, answer.json
        return answer.json["single_sign_on"]

    with inside(acme.home):
        act_as(SYSTEM)
        db().add(User(name="Is Here", email=f"here@{domain}", source="system"))
    assert ways(f"here@{domain}") == []
    records[f"_freehold.{domain}"] = [f"freehold-domain={claim['proof']}"]
    prove(acme, claim)
    assert ways(f"here@{domain}") == ways(f"nobody@{domain}") == ways(f"HERE@{domain.upper()}")
    mine = next(each for each in ways(f"here@{domain}") if each["name"] == made["name"])
    assert mine["url"].startswith("http://127.0.0.1:8000/api/v1/single-sign-on/")
    assert mine["exclusive"] is False
    assert ways("ada@acme.test") == ways("nobody@acme.test") == []


def with_password(
    workspace: Workspace, *, second_factor: bool = False, admin: bool = False
) -> dict[str, str]:
    name = f"p{secrets.token_hex(6)}@example.org"
    with inside(workspace.home):
        act_as(SYSTEM)
        user = User(name="Password", email=name, source="system")
        db().add(user)
        db().flush()
        db().add(Password(user_id=user.id, hash=hash_of(PASSWORD)))
        if second_factor:
            factor = Authenticator(user_id=user.id, kind="totp", name="Phone", confirmed_at=now())
            factor.secret = "JBSWY3DPEHPK3PXP"
            db().add(factor)
        if admin:
            role = db().scalars(select(Role.id).where(Role.name == ADMIN, Role.built_in)).one()
            db().add(UserRole(user_id=user.id, role_id=role))
        return {"id": str(user.id), "email": name}


def test_where_a_tenant_signs_in_elsewhere_only_passwords_open_nothing_but_for_one_admin(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, provider: Provider
) -> None:
    workspace, nursery = new_workspace(), app.extensions["nursery"]
    person, breaker = with_password(workspace), with_password(workspace, second_factor=True, admin=True)
    for each in (person, breaker):
        nursery.note_email(workspace.home, each["email"])

    def sign_in(who: dict[str, str]) -> Any:
        said = {"email": who["email"], "password": PASSWORD}
        return app.test_client().post("/api/v1/sessions", json=said)

    assert sign_in(person).status_code == 201
    assert sign_in(breaker).status_code in (200, 202)
    admin = workspace.admin.in_person
    made = admin.post("/identity-providers", fields(provider)).json
    path = f"/identity-providers/{made['id']}"
    assert list(admin.patch(path, {"sso_only": True}).json["errors"]) == ["break_glass_id"]
    without = {"sso_only": True, "break_glass_id": person["id"]}
    assert list(admin.patch(path, without).json["errors"]) == ["break_glass_id"]
    powerless = with_password(workspace, second_factor=True)
    assert admin.patch(path, {"sso_only": True, "break_glass_id": powerless["id"]}).status_code == 422
    foreign = {"sso_only": True, "break_glass_id": str(neighbour.admin.user_id)}
    assert admin.patch(path, foreign).status_code == 422
    before = workspace.manager.in_person.get("/me").status_code
    assert admin.patch(path, {"sso_only": True, "break_glass_id": breaker["id"]}).status_code == 200
    assert (before, workspace.manager.in_person.get("/me").status_code) == (200, 401)
    assert workspace.manager.get("/me").status_code == 200
    wrong = app.test_client().post(
        "/api/v1/sessions", json={"email": person["email"], "password": "not this one 12"}
    )
    right = sign_in(person)
    assert (right.status_code, right.json["detail"]) == (401, wrong.json["detail"])
    assert sign_in(breaker).status_code in (200, 202)
    assert admin.patch(path, {"state": "inactive"}).status_code == 200
    assert sign_in(person).status_code == 201


def test_who_breaks_the_glass_stays_able_to_as_long_as_they_are_named(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, provider: Provider
) -> None:
    workspace = new_workspace()
    breaker = with_password(workspace, second_factor=True, admin=True)
    admin = workspace.admin.in_person
    made = admin.post("/identity-providers", fields(provider, sso_only=True, break_glass_id=breaker["id"]))
    assert made.status_code == 201, made.json
    user = f"/users/{breaker['id']}"
    attempts: list[tuple[str, str, Any]] = [
        ("PUT", f"{user}/deactivation", {}),
        ("PUT", f"{user}/roles", {"role_ids": []}),
        ("DELETE", f"{user}/authenticators", None),
    ]
    for method, path, said in attempts:
        refused = admin.request(method, path, json=said)
        assert (refused.status_code, refused.json["code"]) == (409, "breaks_glass"), path
    assert neighbour.admin.in_person.put(attempts[0][1], {}).status_code == 404
    path = f"/identity-providers/{made.json['id']}"
    assert admin.patch(path, {"state": "inactive"}).status_code == 200
    for method, where, said in reversed(attempts):
        assert admin.request(method, where, json=said).status_code in (200, 204), where
    again = admin.patch(path, {"state": "active"})
    assert list(again.json["errors"]) == ["break_glass_id"]


def test_another_issuer_knows_other_people(
    app: Flask, acme: Workspace, neighbour: Workspace, provider: Provider, records: dict[str, list[str]]
) -> None:
    domain = a_domain()
    claim = claimed(acme, domain)
    records[f"_freehold.{domain}"] = [f"freehold-domain={claim['proof']}"]
    prove(acme, claim)
    role = next(each for each in acme.admin.get("/roles?limit=200").json["data"] if each["name"] == "sales")[
        "id"
    ]
    made = acme.admin.in_person.post("/identity-providers", fields(provider, default_role_id=role)).json
    from uuid import UUID

    browser = Browser(app.test_client(), acme, UUID(made["id"]))
    who = {"sub": "7", "email": f"x@{domain}", "email_verified": True}
    assert browser.sign_in(provider, **who).status_code == 302
    with running_provider() as other:
        changed = acme.admin.in_person.patch(f"/identity-providers/{made['id']}", {"issuer": other.issuer})
        assert changed.status_code == 200, changed.json
        thief = Browser(app.test_client(), acme, browser.provider_id)
        assert thief.sign_in(other, sub="7").status_code == 401
        assert thief.sign_in(other, **who).status_code == 302
