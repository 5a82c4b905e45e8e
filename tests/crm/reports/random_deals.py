"""Deals at random, all kinds of them, for reports to be checked on."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from crm.contacts.models import Company
from crm.products.models import Product
from crm.sales.models import Deal, Pipeline, Stage
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.isolation.door import db, inside
from tests.workspace import Workspace

SECTORS = ("retail", "medical", None)
CURRENCIES = ("EUR", "USD", "JPY")


def scatter_deals(workspace: Workspace, count: int, *, seed: int) -> None:
    """Deals of every kind: open, won, lost, with and without amounts, companies, products and days."""
    dice = random.Random(seed)  # noqa: S311 - the same deals every time
    with inside(workspace.home):
        act_as(SYSTEM)
        stages = _two_pipelines()
        sectors = (dice.choice(SECTORS) for _ in range(12))
        firms = [_company(n, sector=sector, **_owner(workspace, dice)) for n, sector in enumerate(sectors)]
        things = [Product(name=f"Thing {n}", source=Source.SYSTEM) for n in range(5)]
        db().add_all([*firms, *things])
        db().flush()
        for _ in range(count):
            fields = _terms(dice) | _owner(workspace, dice)
            fields["company_id"] = dice.choice([None, *(each.id for each in firms)])
            fields["product_id"] = dice.choice([None, *(each.id for each in things)])
            _add_deal(dice.choice(stages), staged="outcome" not in fields or dice.random() < 0.8, **fields)


def add_bare_deals(workspace: Workspace, count: int) -> None:
    """Deals with nothing but what a deal has to have."""
    with inside(workspace.home):
        act_as(SYSTEM)
        first = db().scalars(select(Stage).order_by(Stage.position)).first()
        for _ in range(count):
            _add_deal(first)


def add_deals_of_as_many_companies(workspace: Workspace, count: int) -> None:
    """A deal for each of so many companies."""
    with inside(workspace.home):
        act_as(SYSTEM)
        first = db().scalars(select(Stage).order_by(Stage.position)).first()
        firms = [
            {"id": new_id(), "name": f"Firm {number}", "source": Source.SYSTEM} for number in range(count)
        ]
        place = {"pipeline_id": first.pipeline_id, "stage_id": first.id, "source": Source.SYSTEM}
        deals = [{"id": new_id(), "name": "Deal", "company_id": firm["id"], **place} for firm in firms]
        for model, rows in ((Company, firms), (Deal, deals)):
            db().execute(insert(model), rows, execution_options={"audited": True})


def _add_deal(stage: Stage, *, staged: bool = True, **fields: Any) -> None:
    place = {"pipeline_id": stage.pipeline_id, "stage_id": stage.id if staged else None}
    db().add(Deal(**{"name": "Deal", "source": Source.SYSTEM} | place | fields))


def _company(number: int, **fields: Any) -> Company:
    return Company(name=f"Firm {number}", source=Source.SYSTEM, **fields)


def _two_pipelines() -> list[Stage]:
    other = Pipeline(name="Second", source=Source.SYSTEM)
    db().add(other)
    db().flush()
    db().add(Stage(pipeline_id=other.id, name="Only", position=1, source=Source.SYSTEM))
    db().flush()
    return list(db().scalars(select(Stage).order_by(Stage.position, Stage.id)))


def _owner(workspace: Workspace, dice: random.Random) -> dict[str, Any]:
    client = dice.choice(list(workspace.clients.values()))
    return {"owner_id": client.user_id, "team_id": client.team_id}


def _terms(dice: random.Random) -> dict[str, Any]:
    opened = dice.choice((None, date(2026, 1, 1) + timedelta(days=dice.randrange(90))))
    fields: dict[str, Any] = {"opened_on": opened, "name": dice.choice(("Alpha", "Beta"))}
    if dice.random() < 0.8:
        fields |= {"amount": Decimal(dice.randrange(100_000)) / 100, "currency": dice.choice(CURRENCIES)}
    if dice.random() < 0.6:
        closed = (opened or date(2026, 1, 1)) + timedelta(days=dice.randrange(120))
        fields |= {"outcome": dice.choice(("won", "lost")), "closed_on": closed}
    return fields
