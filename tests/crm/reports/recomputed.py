"""The report again, in plain Python, from what the list of deals shows."""

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.workspace import Client

INCLUDES = "owner,team,product,company,stage,pipeline"
RECORDS = ("owner", "team", "product", "company", "stage", "pipeline")


class Listed:
    """Lists of deals, asked for once: nothing changes them while their reports are checked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def deals(self, client: Client, filters: str) -> list[dict[str, Any]]:
        if (client.key, filters) not in self.kept:
            self.kept[client.key, filters] = _listed_deals(client, filters)
        return self.kept[client.key, filters]


def _listed_deals(client: Client, filters: str) -> list[dict[str, Any]]:
    """Every deal that the list shows this client, with the sectors of companies that are in reach."""
    sectors = {each["id"]: each["sector"] for each in _pages(client, "/companies?")}
    deals = _pages(client, f"/deals?include={INCLUDES}&{filters}")
    return [{**deal, "sector": sectors.get(deal["company_id"])} for deal in deals]


def _pages(client: Client, path: str) -> list[dict[str, Any]]:
    rows, cursor = [], ""
    while True:
        page = client.get(f"{path}&limit=200{cursor}").json
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        cursor = f"&cursor={page['next_cursor']}"


def recomputed(
    deals: list[dict[str, Any]], measure: str, names: list[str], month_of: str
) -> dict[tuple[Any, ...], Any]:
    """The figure of each group, by the values of its dimensions."""
    names = [*names, "currency"] if measure == "amount" and "currency" not in names else names
    groups = defaultdict(list)
    for deal in deals:
        if measure != "amount" or deal["amount"] is not None:
            groups[tuple(_value(deal, name, month_of) for name in names)].append(deal)
    return {group: MEASURES[measure](members) for group, members in groups.items()}


def reported(report: dict[str, Any]) -> dict[tuple[Any, ...], Any]:
    """The rows of an answer in the same form."""
    rows = {}
    for row in report["data"]:
        group = tuple(_group(row[name]) for name in report["group_by"])
        assert group not in rows, "a group came twice"
        figure = row[report["measure"]]
        rows[group] = Decimal(figure["amount"]) if report["measure"] == "amount" else figure
    return rows


def _group(value: Any) -> Any:
    return (value["id"], value["name"]) if isinstance(value, dict) else value


def _value(deal: dict[str, Any], name: str, month_of: str) -> Any:
    if name in RECORDS:
        key = deal[f"{name}_id"]
        return key and (key, deal[name] and deal[name]["name"])
    if name == "month":
        return deal[month_of] and deal[month_of][:7]
    if name == "currency":
        return deal["amount"] and deal["amount"]["currency"]
    return deal[name]


def _amount(deals: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(deal["amount"]["amount"]) for deal in deals), Decimal(0))


def _win_rate(deals: list[dict[str, Any]]) -> str | None:
    closed = [deal for deal in deals if deal["outcome"]]
    return _fraction(sum(deal["outcome"] == "won" for deal in closed), len(closed))


def _cycle_days(deals: list[dict[str, Any]]) -> str | None:
    closed = [deal for deal in deals if deal["closed_on"] and deal["opened_on"]]
    days = [
        (date.fromisoformat(deal["closed_on"]) - date.fromisoformat(deal["opened_on"])).days
        for deal in closed
    ]
    return _fraction(sum(days), len(days))


def _fraction(part: int, whole: int) -> str | None:
    return str((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)) if whole else None


MEASURES: dict[str, Any] = {"count": len, "amount": _amount, "win_rate": _win_rate, "cycle_days": _cycle_days}
