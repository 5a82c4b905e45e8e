"""Writes a demo tenant's records: what its people would have entered in their first year."""

import random
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm.billing.drafting import draft
from crm.billing.issuing import issue
from crm.billing.paying import pay
from crm.contacts.models import Company, Contact, Lifecycle
from crm.demo.cast import Stage
from crm.demo.words import (
    DEAL_KINDS,
    FIRST_NAMES,
    INTERESTS,
    JOBS,
    LAST_NAMES,
    ORIGINS,
    OWN_FIELDS,
    PLACES,
    REASONS,
    TIERS,
    TRADES,
)
from crm.leads.models import Lead
from crm.products.models import Product
from crm.sales.models import Outcome, Pipeline
from crm.sales.opening import open_deal
from crm.sales.queries import default_pipelines, stages_in_order
from tenants.access.policy import add
from tenants.fields.defining import add_field
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.isolation.door import db


class Writer:
    """One tenant's records, drawn from the stage's seed; dates count back from today."""

    def __init__(self, stage: Stage, users: Sequence[User]) -> None:
        self.stage = stage
        self.dice = random.Random(stage.seed)
        self.sellers = [
            user for user, player in zip(users, stage.players, strict=True) if player.role != "read-only"
        ]
        self.today = now().date()

    def write(self) -> None:
        """Everything, inside the tenant."""
        self._fields()
        products = [self._product(*each) for each in self.stage.goods]
        companies = [self._company(number) for number in range(self.stage.companies)]
        contacts = [self._contact(self.dice.choice(companies)) for _ in range(self.stage.contacts)]
        stages = list(db().scalars(stages_in_order(self._pipeline().id)))
        for _ in range(self.stage.deals):
            self._deal(self.dice.choice(contacts), self.dice.choice(products), stages)
        for _ in range(self.stage.deals // 4):
            self._lead()
        for company in companies[: self.stage.companies // 3]:
            self._invoice(company, products)

    def _pipeline(self) -> Pipeline:
        return db().scalars(default_pipelines()).one()

    def _fields(self) -> None:
        """What this tenant wants to know beyond what everybody does."""
        for resource, name, label, kind, choices in OWN_FIELDS:
            said = {
                "resource": resource,
                "name": name,
                "label": label,
                "kind": kind,
                "choices": list(choices),
            }
            add_field({**said, "personal": False})

    def _product(self, name: str, series: str, price: Decimal) -> Product:
        return add(Product(name=name, series=series, price=price, currency=self.stage.currency))

    def _company(self, number: int) -> Company:
        trade, sector = self.dice.choice(TRADES)
        city, country = self.dice.choice(PLACES)
        name = f"{self.dice.choice(LAST_NAMES)} {trade} {city}"
        domain = f"{_plain(name)}{number}.example"
        revenue = Decimal(self.dice.randrange(200, 90_000)) * 1000
        return add(
            Company(
                name=name,
                domain=domain,
                sector=sector,
                city=city,
                country=country,
                employees=self.dice.randrange(4, 900),
                founded=self.dice.randrange(1921, 2021),
                revenue=revenue,
                revenue_currency=self.stage.currency,
                custom={"tier": self.dice.choice(TIERS), "customer_since": self._ago(30, 3000).isoformat()},
                **self._owner(),
            )
        )

    def _contact(self, company: Company) -> Contact:
        first, last = self.dice.choice(FIRST_NAMES), self.dice.choice(LAST_NAMES)
        return add(
            Contact(
                first_name=first,
                last_name=last,
                email=f"{_plain(first)}.{_plain(last)}@{company.domain}",
                phone=f"+{self.dice.randrange(30, 50)} {self.dice.randrange(10**7, 10**8)}",
                job_title=self.dice.choice(JOBS),
                lifecycle=self.dice.choice(list(Lifecycle)).value,
                city=company.city,
                country=company.country,
                company_id=company.id,
                custom={"interests": self.dice.sample(INTERESTS, self.dice.randrange(3))},
                owner_id=company.owner_id,
                team_id=company.team_id,
            )
        )

    def _deal(self, contact: Contact, product: Product, stages: Sequence[Any]) -> None:
        opened = self._ago(20, 360)
        price = product.price or Decimal(0)
        deal = open_deal(
            {
                "name": f"{self.dice.choice(DEAL_KINDS)}: {product.name}",
                "company_id": contact.company_id,
                "contact_id": contact.id,
                "product_id": product.id,
                "opened_on": opened,
                "stage_id": self.dice.choice(stages).id,
                "amount": price * self.dice.randrange(1, 5),
                "currency": self.stage.currency,
                "expected_close_on": opened + timedelta(days=self.dice.randrange(30, 200)),
                "owner_id": contact.owner_id,
                "team_id": contact.team_id,
            }
        )
        if self.dice.random() < 0.6:  # noqa: PLR2004 - three in five have ended
            outcome = Outcome.WON if self.dice.random() < 0.58 else Outcome.LOST  # noqa: PLR2004
            closed = min(self.today, opened + timedelta(days=self.dice.randrange(5, 120)))
            db().add(deal.close(outcome, self.dice.choice(REASONS[outcome.value]), closed, deal.owner_id))

    def _lead(self) -> None:
        first, last = self.dice.choice(FIRST_NAMES), self.dice.choice(LAST_NAMES)
        trade, _ = self.dice.choice(TRADES)
        add(
            Lead(
                first_name=first,
                last_name=last,
                company_name=f"{last} {trade}",
                email=f"{_plain(first)}@{_plain(last)}.example",
                origin=self.dice.choice(ORIGINS),
                score=self.dice.randrange(10, 100),
                **self._owner(),
            )
        )

    def _invoice(self, company: Company, products: Sequence[Product]) -> None:
        lines = [self._line(product) for product in self.dice.sample(products, 2)]
        owner = {"owner_id": company.owner_id, "team_id": company.team_id}
        invoice = draft({"company_id": company.id, "currency": self.stage.currency, "lines": lines, **owner})
        chance = self.dice.random()
        if chance < 0.2:  # noqa: PLR2004 - one in five is a draft still
            return
        issue(invoice, self._ago(5, 100))
        if chance < 0.7:  # noqa: PLR2004 - half of all are paid
            pay(
                invoice,
                {
                    "invoice_id": invoice.id,
                    "amount": invoice.gross_amount,
                    "currency": invoice.currency,
                    "method": "bank_transfer",
                },
            )

    def _line(self, product: Product) -> dict[str, Any]:
        return {
            "product_id": product.id,
            "quantity": Decimal(self.dice.randrange(1, 4)),
            "unit_price": product.price,
            "discount_percent": Decimal(0),
            "tax_rate": Decimal(25),
            "tax_label": "VAT",
        }

    def _owner(self) -> dict[str, Any]:
        seller = self.dice.choice(self.sellers)
        return {"owner_id": seller.id, "team_id": seller.team_id}

    def _ago(self, least: int, most: int) -> date:
        return self.today - timedelta(days=self.dice.randrange(least, most))


def _plain(text: str) -> str:
    """A text as it can stand in an address."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", ascii_only.lower())
