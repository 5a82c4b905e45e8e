"""The figures of the Maven data set, worked out from its files by the csv module alone.

Nothing of the program is used here: what the reports say is checked against this.
"""

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data" / "maven-crm"
PRODUCTS = {"GTXPro": "GTX Pro"}
SECTORS = {"technolgy": "technology"}
CURRENCY = "USD"
Group = tuple[str | None, ...]


@dataclass(frozen=True)
class Opportunity:
    """A row of the pipeline with what other files say of it. An open one has no `closed_on` or `value`."""

    id: str
    agent: str
    manager: str
    office: str
    product: str
    series: str
    account: str | None
    sector: str | None
    stage: str
    engaged_on: date | None
    closed_on: date | None
    value: Decimal | None

    @property
    def outcome(self) -> str | None:
        return self.stage.lower() if self.stage in {"Won", "Lost"} else None

    @property
    def open_stage(self) -> str | None:
        return None if self.outcome else self.stage

    @property
    def month(self) -> str | None:
        return f"{self.closed_on:%Y-%m}" if self.closed_on else None

    @property
    def opened_month(self) -> str | None:
        return f"{self.engaged_on:%Y-%m}" if self.engaged_on else None


def rows(name: str) -> list[dict[str, str]]:
    """One of the four files as it is."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def opportunities() -> tuple[Opportunity, ...]:
    """The 8,800 rows of the pipeline, with the misspelled product and sector put right."""
    agents = {row["sales_agent"]: row for row in rows("sales_teams")}
    series = {row["product"]: row["series"] for row in rows("products")}
    sectors = {row["account"]: SECTORS.get(row["sector"], row["sector"]) for row in rows("accounts")}
    return tuple(
        _opportunity(row, agents[row["sales_agent"]], series, sectors) for row in rows("sales_pipeline")
    )


def _opportunity(
    row: dict[str, str], agent: dict[str, str], series: dict[str, str], sectors: dict[str, str]
) -> Opportunity:
    product = PRODUCTS.get(row["product"], row["product"])
    return Opportunity(
        id=row["opportunity_id"],
        agent=row["sales_agent"],
        manager=agent["manager"],
        office=agent["regional_office"],
        product=product,
        series=series[product],
        account=row["account"] or None,
        sector=sectors[row["account"]] if row["account"] else None,
        stage=row["deal_stage"],
        engaged_on=_day(row["engage_date"]),
        closed_on=_day(row["close_date"]),
        value=Decimal(row["close_value"]) if row["close_value"] else None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def figures(
    measure: str, *by: str, only: Callable[[Opportunity], bool] = lambda _each: True
) -> dict[Group, Any]:
    """The measure of each group: count, amount (a Decimal, of those that have one), win_rate or cycle_days.

    `by` names attributes of an opportunity. Rates and days are text with four places, halves up, or None.
    """
    groups: dict[Group, list[Opportunity]] = defaultdict(list)
    for each in opportunities():
        if only(each) and (measure != "amount" or each.value is not None):
            groups[tuple(getattr(each, name) for name in by)].append(each)
    return {group: MEASURES[measure](members) for group, members in groups.items()}


def amount(members: list[Opportunity]) -> Decimal:
    return sum((each.value for each in members if each.value is not None), Decimal(0))


def win_rate(members: list[Opportunity]) -> str | None:
    ended = [each.outcome for each in members if each.outcome]
    return _fraction(ended.count("won"), len(ended))


def cycle_days(members: list[Opportunity]) -> str | None:
    days = [(each.closed_on - each.engaged_on).days for each in members if each.closed_on and each.engaged_on]
    return _fraction(sum(days), len(days))


def _fraction(part: int, whole: int) -> str | None:
    return str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)) if whole else None


MEASURES: dict[str, Callable[[list[Opportunity]], Any]] = {
    "count": len,
    "amount": amount,
    "win_rate": win_rate,
    "cycle_days": cycle_days,
}
