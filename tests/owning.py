"""A tenant with something of everything in it: what its owner has to get back, and what has to be gone in the end."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import Column, Table, func, select, update
from sqlalchemy.exc import DBAPIError

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.seals import seal_everywhere
from tenants.catalog.registry import Home
from tenants.foundation.encryption import Context
from tenants.foundation.tables import DataClass
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import sealed_text
from tenants.portability.contents import BundleTable, tables
from tests import examples as examples_of
from tests.asking import Examples
from tests.jobs import RunJobs
from tests.makers import MAKERS
from tests.operations import PREFIX, document_of
from tests.workspace import Workspace

AWKWARD = (
    "",
    "\\N",
    "\\.",
    '"\\N"',
    ',"\\N",',
    "=HYPERLINK(1)",
    "+1-1@x",
    "two\nlines\r\nand a \rthird\ttab",
    'quotes " and "" more, commas',
    "👩‍👩‍👧 née Müller ﷽ \u202eright to left\u202c",
    "\\x5c back\\slash\\n",
    " spaces around ",
    "\u0085\u2028\ufeff\x1f\x02\x01",
    "x" * (1 << 20),
)
#: Of what is awkward, how long a value of a field of the tenant's own can be.
LONGEST_VALUE = 10_000
#: What fills the tables that no list makes anything in, and of which resource.
PUTS = {
    "deals/{deal_id}/outcome": "deals",
    "payments/{payment_id}/reversal": "payments",
    "teams/{team_id}/roles": "teams",
}
#: Tables that stay as they were: what is on record can't be changed, and a tenant has to be found.
LEFT_ALONE = ("audit_", "tenant_profile")


def filled(app: Flask, workspace: Workspace, run_jobs: RunJobs) -> Examples:
    """Have something in every table, with the canary of all examples in every text that can be sent."""
    examples = Examples(document_of(app), workspace)
    pages = {each.resource for each in examples.document.operations if each.is_page}
    for resource in sorted(pages | MAKERS.keys()):
        if resource in MAKERS or examples.document.find("post", f"{PREFIX}{resource}"):
            examples.make(resource)
    _what_no_list_makes(examples)
    _fields_of_its_own(examples.workspace)
    _notes_at_length(examples.workspace)
    run_jobs()
    seal_everywhere(app.extensions["house"].catalog)
    return examples


def _what_no_list_makes(examples: Examples) -> None:
    for path, resource in PUTS.items():
        operation = examples.document.find("put", f"{PREFIX}{path}")
        assert operation is not None, path
        ids = dict.fromkeys(operation.names_in_path, examples.make(resource))
        answer = examples.ask(examples.workspace.admin, operation, ids)
        assert answer.status_code in (200, 201, 204), f"{operation}: {answer.json}"
    user, provider = (UUID(examples.make(each)) for each in ("users", "identity-providers"))
    with inside(examples.workspace.home):
        act_as(SYSTEM)
        said = f"{examples_of.CANARY} subject"
        db().add(ExternalIdentity(user_id=user, provider_id=provider, subject=said))


def _notes_at_length(workspace: Workspace) -> None:
    """Whatever the database keeps can be said over HTTP as well, of any length."""
    for text in AWKWARD:
        answer = workspace.admin.post(
            "/contacts", {"last_name": f"{examples_of.CANARY} notes", "notes": text}
        )
        assert (answer.status_code, answer.json.get("notes")) == (201, text)


def _fields_of_its_own(workspace: Workspace) -> None:
    """Fields that the tenant added, with values that are hard to carry."""
    for number, text in enumerate(each for each in AWKWARD if len(each) <= LONGEST_VALUE):
        name = f"own_{number}"
        said = {"resource": "contacts", "name": name, "label": text[:100] or name, "kind": "long_text"}
        assert workspace.admin.post("/fields", said).status_code == 201
        body = {"last_name": f"{examples_of.CANARY} own", "custom": {name: text}}
        answer = workspace.admin.post("/contacts", body)
        assert (answer.status_code, answer.json.get("custom")) == (201, {name: text})


def rows_in(home: Home) -> dict[str, int]:
    """How many rows each table has that a bundle holds."""
    with inside(home):
        return {
            each.name: db().scalar(select(func.count()).select_from(each.table)) or 0 for each in tables()
        }


def made_awkward(home: Home) -> dict[str, list[Any]]:
    """Put what is hard to carry into every field that takes it; what each field took.

    Texts and the largest numbers and days go into the latest row of a table, the smallest into its first of two.
    """
    accepted: dict[str, list[Any]] = defaultdict(list)
    texts = itertools.cycle(AWKWARD)
    with inside(home, patience_seconds=120):
        act_as(SYSTEM)
        for bundled in tables():
            for column in _fields_of(bundled):
                tried = _limits(column) or [itertools.islice(texts, len(AWKWARD))]
                for row_id, values in zip(_ends_of(bundled.table), tried, strict=False):
                    taken = (each for each in values if _takes(home, bundled.table, column, row_id, each))
                    accepted[f"{bundled.name}.{column.name}"].extend(itertools.islice(taken, 1))
    return accepted


def _fields_of(bundled: BundleTable) -> Iterator[Column[Any]]:
    if bundled.name.startswith(LEFT_ALONE) or "id" not in bundled.table.c:
        return
    for each in bundled.columns:
        column = bundled.table.c[each.name]
        kept = column.info["data"] in (DataClass.TECHNICAL, DataClass.CREDENTIAL)
        if not kept and (each.sealed or isinstance(column.type, sa.String) or _limits(column)):
            yield column


def _ends_of(table: Table) -> list[UUID]:
    """The latest and the first row of a table, as far as there are as many."""
    ids = db().scalars(select(table.c.id).order_by(table.c.id)).all()
    return list(dict.fromkeys([ids[-1], ids[0]])) if ids else []


def _limits(column: Column[Any]) -> list[Iterable[Any]]:
    """The largest values of a number or a date and the smallest, each before what a narrower field takes."""
    type_: Any = column.type
    if isinstance(type_, sa.Integer):
        bits = 63 if isinstance(type_, sa.BigInteger) else 31
        return [[2**bits - 1, 100], [-(2**bits), 0]]
    if isinstance(type_, sa.Numeric):
        most = Decimal(f"{'9' * (type_.precision - type_.scale)}.{'9' * type_.scale}")
        return [[most, Decimal(100)], [-most, Decimal(0)]]
    if isinstance(type_, sa.DateTime):
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return [[last, first], [first]]
    return [[date.max, date.min], [date.min]] if isinstance(type_, sa.Date) else []


def _takes(home: Home, table: Table, column: Column[Any], row_id: UUID, value: Any) -> bool:
    """Whether the database lets this field have this value; if it doesn't, nothing was changed."""
    place = Context(home.id, table.name, column.name, row_id)
    stored = sealed_text(value, place) if column.info.get("sealed") else value
    try:
        with db().begin_nested():
            db().connection().execute(update(table).where(table.c.id == row_id).values({column.name: stored}))
    except DBAPIError:
        return False
    return True


NewWorkspace = Callable[[], Workspace]
