"""Examples for every operation of the document: from its schemas, and from tables where those say too little.

Whoever adds a route reads in the failure of a generated test what to add to these tables, if anything.
"""

import functools
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import hypothesis
from hypothesis import strategies

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.models import User
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.tokens import connect
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Session
from tenants.isolation.door import db, inside
from tenants.support_access.models import AccessEntry, AccessGrant, AccessVisit
from tenants.support_access.receipts import sign_off
from tests.operations import PREFIX, Document, Operation
from tests.providers import use_provider
from tests.workspace import Client, Workspace

#: Stands in every text of an example, so that it can be looked for where it must not be.
CANARY = "Zilpzalp"
#: Values of fields whose schema alone doesn't lead to a good one.
VALUES = {
    "billing_country": "IT",
    "confidential": True,
    "country": "IT",
    "currency": "EUR",
    "discount_percent": "0",
    "domain": lambda number: f"{CANARY.lower()}{number}-{uuid4().hex[:8]}.example.org",
    "due_on": "2999-12-31",
    "email": lambda number: f"{CANARY}{number}@example.test",
    "expected_close_on": "2999-12-31",
    "is_default": False,
    "locale": "de-AT",
    "issuer": "http://127.0.0.1:9",
    "permission": "contacts:read",
    "prefix": "A-",
    "quantity": "2",
    "resources": "contacts",
    "resource": "contacts",
    "redirect_uris": "https://app.example.test/back",
    "scopes": "contacts:read",
    "slug": lambda number: f"example{number}-{uuid4().hex[:8]}",
    "tax_rate": "22",
    "time_zone": "Europe/Rome",
}
#: What a field refers to where its name doesn't say it; `contact_id` is one of `contacts` anyway.
REFERS = {
    "actor_id": "users",
    "break_glass_id": "users",
    "by_id": "users",
    "closed_by_id": "users",
    "converted_by_id": "users",
    "credential_id": "api-keys",
    "default_role_id": "roles",
    "disqualified_by_id": "users",
    "from_stage_id": "stages",
    "grant_id": "access-grants",
    "hand_over_to": "users",
    "invited_by_id": "users",
    "issued_by_id": "users",
    "manager_id": "users",
    "owner_id": "users",
    "record": "contacts",
    "record_id": "contacts",
    "role_ids": "roles",
    "replaces_id": "api-keys",
    "staff_id": "users",
    "subject_id": "contacts",
    "team_ids": "teams",
    "to_stage_id": "stages",
    "visit_id": "access-visits",
}
#: What a reference has to be like in these bodies, for a good answer.
STATES = {
    ("PaymentBody", "invoice_id"): "issued-invoices",
    ("CreditNoteBody", "invoice_id"): "issued-invoices",
    ("ShareBody", "record_id"): "shareable-contacts",
}
#: What a body says beside a reference: a line belongs to the invoice that is named with it.
BESIDE = {"invoice-lines": ("invoice_id", "issued-invoices")}
#: Fields that a body has to have beyond what its schema calls required.
WANTED = {"ApiKeyBody": ("name",), "ShareBody": ("user_id",)}
#: Fields that stay out of an example, because a good value depends on what else is there.
LEFT_OUT = {
    ("ShareBody", "expires_at"),
    ("ShareTermsPatch", "expires_at"),
    ("ApiKeyBody", "scopes"),
    ("ApiKeyBody", "expires_at"),
    ("RotationBody", "expires_at"),
    ("SignInBody", "tenant"),
}
#: Forms (multipart) by operation.
FORMS: dict[str, Callable[[], dict[str, Any]]] = {
    "create_import": lambda: {
        "resource": "contacts",
        "file": (io.BytesIO(f"last_name\n{CANARY}\n".encode()), "contacts.csv"),
    },
}
_count = itertools.count(1)


class Examples:
    """What the operations of a document are asked with, in one tenant."""

    def __init__(self, document: Document, workspace: Workspace) -> None:
        self.document, self.workspace = document, workspace
        self._kept: dict[str, str] = {}

    def some(self, resource: str) -> str:
        """The id of one record, the same each time."""
        if resource not in self._kept:
            self._kept[resource] = self.make(resource)
        return self._kept[resource]

    def fitting(self, resource: str) -> str:
        """The id of a record that a body may refer to: a fresh one where the reference uses it up."""
        return self.make(resource) if resource in STATES.values() else self.some(resource)

    def make(self, resource: str) -> str:
        """The id of a fresh record, or of one that is always there."""
        if maker := MAKERS.get(resource):
            return maker(self)
        operation = self.document.find("post", f"{PREFIX}{resource}")
        if operation is None:
            message = f"Nothing makes one of '{resource}': add a maker to MAKERS in tests/examples.py."
            raise AssertionError(message)
        answer = self.ask(self.workspace.admin, operation)
        assert answer.status_code in (201, 202), (
            f"{operation} refused its example {answer.json}: see tests/examples.py"
        )
        return answer.json["id"]

    def ids(self, operation: Operation) -> dict[str, str]:
        """Fresh records for each id in the path."""
        parts = operation.path.removeprefix(PREFIX).split("/")
        return {
            part[1:-1]: self.make(before)
            for before, part in itertools.pairwise(parts)
            if part.startswith("{")
        }

    def ask(
        self,
        client: Client,
        operation: Operation,
        ids: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        **options: Any,
    ) -> Any:
        """Ask an operation with its example, or with this body; `ids` are those of the path."""
        path = operation.path.format(**(self.ids(operation) if ids is None else ids))
        if needed := {
            each["name"]: self.example(each["schema"], operation.resource, each["name"])
            for each in operation.needed
        }:
            options["query_string"] = needed | options.get("query_string", {})
        if operation.form:
            options |= {"data": FORMS[operation.id](), "content_type": "multipart/form-data"}
        elif operation.body is not None:
            options["json"] = self.body(operation) if json is None else json
        asked_as = client.in_person if operation.people_only else client
        return asked_as.request(operation.method.upper(), path, **options)

    def body(self, operation: Operation) -> Any:
        """A good JSON body."""
        return None if operation.body is None else self.example(operation.body, operation.resource)

    def body_with(self, operation: Operation, path: tuple[str, ...], resource: str, value: str) -> Any:
        """A JSON body whose field at this path refers to this record of a resource."""
        body = replaced(self.body(operation), path, value)
        if resource in BESIDE:
            name, beside = BESIDE[resource]
            body[name] = self.some(beside)
        return body

    def example(self, schema: dict[str, Any], resource: str, name: str = "", owner: str = "") -> Any:
        """A value that a schema allows, with all it has except references that need not be there."""
        owner = schema.get("$ref", owner).rpartition("/")[2] or owner
        schema = self.document.resolve(schema)
        if "anyOf" in schema:
            return self.example(
                next(each for each in schema["anyOf"] if each.get("type") != "null"), resource, name, owner
            )
        if "enum" in schema:
            return next(each for each in schema["enum"] if each is not None)
        kind = schema.get("type", "object")
        kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
        if kind in ("object", "array"):
            return (
                self._object(schema, resource, owner)
                if kind == "object"
                else [self.example(schema["items"], resource, name, owner)]
            )
        if schema.get("format") == "uuid":
            return self.fitting(STATES.get((owner, name)) or referred(self.document, name, resource))
        if name in VALUES:
            value = VALUES[name]
            return value(next(_count)) if callable(value) else value
        return _plain(kind, schema, name)

    def _object(self, schema: dict[str, Any], resource: str, owner: str) -> dict[str, Any]:
        known = schema.get("properties", {})
        if known.keys() == {"amount", "currency"}:
            return {"amount": "12.50", "currency": "EUR"}
        needed = {*schema.get("required", ()), *WANTED.get(owner, ())}
        return {
            name: self.example(each, resource, name, owner)
            for name, each in known.items()
            if name in needed or ((owner, name) not in LEFT_OUT and not self._refers(each))
        }

    def _refers(self, schema: dict[str, Any]) -> bool:
        """Whether an example of it would need another record."""
        schema = self.document.resolve(schema)
        inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
        required = [
            each for name, each in schema.get("properties", {}).items() if name in schema.get("required", ())
        ]
        return schema.get("format") == "uuid" or any(self._refers(each) for each in (*inner, *required))

    def references(
        self, schema: dict[str, Any], resource: str, path: tuple[str, ...] = (), owner: str = ""
    ) -> Iterator[Any]:
        """Each field of a body that refers to a record: its path, and what a good value is one of."""
        owner = schema.get("$ref", owner).rpartition("/")[2] or owner
        schema = self.document.resolve(schema)
        for each in schema.get("anyOf", ()):
            yield from self.references(each, resource, path, owner)
        if "items" in schema:
            yield from self.references(schema["items"], resource, (*path, "0"), owner)
        for name, each in schema.get("properties", {}).items():
            if self.document.resolve(each).get("format") == "uuid":
                yield (*path, name), STATES.get((owner, name)) or referred(self.document, name, resource)
            else:
                yield from self.references(each, resource, (*path, name), owner)


def referred(document: Document, name: str, resource: str) -> str:
    """The resource that a field such as `company_id` refers to."""
    if name == "parent_id":
        return resource
    stem = REFERS.get(name) or name.removesuffix("_id").replace("_", "-")
    for plural in (stem, f"{stem}s", f"{stem.removesuffix('y')}ies"):
        if plural in document.collections or plural in MAKERS:
            return plural
    message = f"Nobody knows what '{name}' of {resource} refers to: add it to REFERS in tests/examples.py."
    raise AssertionError(message)


@functools.cache
def _fitting(pattern: str) -> str:
    """The simplest text that fits; to look for it takes seconds."""
    return hypothesis.find(strategies.from_regex(pattern, fullmatch=True), lambda _: True)


def _plain(kind: str, schema: dict[str, Any], name: str) -> Any:
    form, longest = schema.get("format"), schema.get("maxLength", 1000)
    if kind == "string" and "pattern" in schema:
        return _fitting(schema["pattern"])
    return {
        "string": {
            "date": "2026-03-02",
            "date-time": "2026-03-02T10:00:00.000000Z",
            "email": "a@example.test",
        }.get(form, f"{CANARY} {name} {next(_count)}".ljust(schema.get("minLength", 0), "x")[:longest]),
        "integer": int(schema.get("minimum", 1)),
        "number": schema.get("minimum", 1),
        "boolean": False,
    }[kind]


def replaced(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of a body with one value replaced, and whatever is missing on the way to it."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if first == "0":
        return [replaced(body[0] if body else {}, rest, value)]
    return {**(body or {}), first: replaced((body or {}).get(first), rest, value)}


def _existing(resource: str) -> Callable[[Examples], str]:
    def first(examples: Examples) -> str:
        return examples.workspace.admin.get(f"/{resource}?limit=1").json["data"][0]["id"]

    return first


def _api_key(examples: Examples) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        key = new_api_key(home, db().get_one(User, examples.workspace.admin.user_id), "Example")
        db().flush()
        return str(db().query(ApiKey.id).filter(ApiKey.hash == token_hash(key)).scalar())


def _connected_app(examples: Examples) -> str:
    client_id = UUID(examples.make("oauth-clients"))
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        client = db().get_one(OAuthClient, client_id)
        user_id = examples.workspace.admin.user_id
        return str(connect(client, user_id, None, ["contacts:read"], connected_by="registration").id)


def _session(examples: Examples) -> str:
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        token = new_token("fhs", home.id)
        made = Session(
            user_id=examples.workspace.admin.user_id,
            hash=token_hash(token),
            expires_at=now().replace(year=2999),
        )
        db().add(made)
        db().flush()
        return str(made.id)


def _identity_provider(examples: Examples) -> str:
    """Nobody answers there: one that does is in the tests of signing in."""
    return str(use_provider(examples.workspace, "http://127.0.0.1:9"))


def _issued_invoice(examples: Examples) -> str:
    made = examples.make("invoices")
    answer = examples.workspace.admin.put(f"/invoices/{made}/issuance", {})
    assert answer.status_code == 200, answer.json
    return made


def _invoice_line(examples: Examples) -> str:
    return examples.workspace.admin.get(f"/invoices/{examples.some('issued-invoices')}").json["lines"][0][
        "id"
    ]


def _pipeline(examples: Examples) -> str:
    """With a stage, so that deals can be opened in it."""
    admin = examples.workspace.admin
    made = admin.post("/pipelines", {"name": f"{CANARY} {next(_count)}"}).json["id"]
    assert admin.post("/stages", {"pipeline_id": made, "name": "First"}).status_code == 201
    return str(made)


def _job(examples: Examples) -> str:
    return examples.workspace.admin.get(f"/imports/{examples.make('imports')}").json["job_id"]


def _user(examples: Examples) -> str:
    """Somebody new, so that an example can do to them whatever it likes; they can't sign in."""
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        made = User(name=f"{CANARY} {next(_count)}", source=Source.SYSTEM)
        db().add(made)
        db().flush()
        return str(made.id)


def _access_grant(examples: Examples) -> str:
    """An ask that the asker's manager approved."""
    home = examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessGrant(
            state="manager_approved", staff_id=uuid4(), staff_name="Staff", reason="fault", explanation="?",
            resources=["contacts"], hours=1, source="system", ends_at=now().replace(year=2999),
        )  # fmt: skip
        db().add(made)
        db().flush()
        return str(made.id)


def _access_visit(examples: Examples) -> str:
    """A visit that was signed off."""
    grant_id, home = UUID(_access_grant(examples)), examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessVisit(
            grant_id=grant_id, staff_id=uuid4(), staff_name="Staff", access="read", hash=uuid4().bytes,
            expires_at=now().replace(year=2999),
        )  # fmt: skip
        db().add(made)
        db().flush()
        sign_off(made, db().get_one(AccessGrant, grant_id), "ended")
        return str(made.id)


def _access_entry(examples: Examples) -> str:
    visit_id, home = UUID(_access_visit(examples)), examples.workspace.home
    with inside(home):
        act_as(SYSTEM)
        made = AccessEntry(
            kind="read", visit_id=visit_id, grant_id=uuid4(), staff_id=uuid4(), staff_name="Staff", reason="fault",
            route="GET /staff/v1", resource="contacts", query={}, shown_fields=[], masked_fields=[], record_ids=[],
            request_id="example", visible_from=now(),
        )  # fmt: skip
        db().add(made)
        db().flush()
        return str(made.id)


#: What can't be made by a POST with an example of its body.
MAKERS: dict[str, Callable[[Examples], str]] = {
    "users": _user,
    "members": _user,
    "roles": _existing("roles"),
    "audit-events": _existing("audit-events"),
    "number-series": _existing("number-series"),
    "access-grants": _access_grant,
    "access-visits": _access_visit,
    "access-log": _access_entry,
    "api-keys": _api_key,
    "identity-providers": _identity_provider,
    "single-sign-on": lambda examples: (
        f"{examples.workspace.home.id.hex}.{UUID(_identity_provider(examples)).hex}"
    ),
    "connected-apps": _connected_app,
    "sessions": _session,
    "issued-invoices": _issued_invoice,
    "invoice-lines": _invoice_line,
    "jobs": _job,
    "shareable-contacts": lambda examples: examples.make("contacts"),
    "pipelines": _pipeline,
}
