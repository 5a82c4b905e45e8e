"""The arithmetic of documents: lines are rounded to the cent, tax is worked out per rate on their sum.

This is the common practice of EN 16931 (BR-CO-10, BR-CO-14, BR-CO-15, BR-CO-17). Halves are rounded away from
zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crm.records.money import LARGEST, rounded
from tenants.foundation.errors import Invalid

HUNDRED = Decimal(100)
#: A tax rate in percent and its label: lines with both the same are taxed together.
Rate = tuple[Decimal, str]


def line_net(quantity: Decimal, unit_price: Decimal, discount_percent: Decimal) -> Decimal:
    """What a line costs before tax. Raises Invalid when it is more than we can keep."""
    return _kept(rounded(quantity * unit_price * (HUNDRED - discount_percent) / HUNDRED))


def tax_on(net: Decimal, rate: Decimal) -> Decimal:
    return _kept(rounded(net * rate / HUNDRED))


@dataclass
class Totals:
    """What the lines of a document come to. The sums by rate add up to the cent to the totals."""

    net: dict[Rate, Decimal] = field(default_factory=dict)
    tax: dict[Rate, Decimal] = field(default_factory=dict)

    @property
    def net_amount(self) -> Decimal:
        return sum(self.net.values(), Decimal("0.00"))

    @property
    def tax_amount(self) -> Decimal:
        return sum(self.tax.values(), Decimal("0.00"))

    @property
    def gross_amount(self) -> Decimal:
        return _kept(self.net_amount + self.tax_amount)

    def columns(self, currency: str) -> dict[str, Any]:
        """The columns of a document that hold its totals."""
        return {
            "net_amount": self.net_amount,
            "tax_amount": self.tax_amount,
            "gross_amount": self.gross_amount,
            "taxes": [self._part(rate, currency) for rate in self.net],
        }

    def _part(self, rate: Rate, currency: str) -> dict[str, Any]:
        net, tax = ({"amount": str(sums[rate]), "currency": currency} for sums in (self.net, self.tax))
        return {"tax_rate": f"{rate[0]:.2f}", "tax_label": rate[1], "net": net, "tax": tax}


def totals_of(parts: Iterable[tuple[Rate, Decimal]]) -> Totals:
    """The totals of lines, each given as its rate and its net amount; highest rate first."""
    net: dict[Rate, Decimal] = {}
    for rate, amount in sorted(parts, key=lambda part: (-part[0][0], part[0][1])):
        net[rate] = _kept(net.get(rate, Decimal("0.00")) + amount)
    _kept(sum(net.values(), Decimal(0)))
    return Totals(net, {rate: tax_on(amount, rate[0]) for rate, amount in net.items()})


def difference(after: Totals, before: Totals) -> Totals:
    """What came between two totals. Rates that did not move are left out.

    Credit notes are worked out like this: whatever is credited in however many steps comes to exactly what a
    single credit note would have said, so that a cent is never credited twice or left over.
    """
    moved = {rate: amount - before.net.get(rate, Decimal(0)) for rate, amount in after.net.items()}
    net = {rate: amount for rate, amount in moved.items() if amount}
    return Totals(net, {rate: after.tax[rate] - before.tax.get(rate, Decimal(0)) for rate in net})


def _kept(amount: Decimal) -> Decimal:
    if amount > LARGEST:
        raise Invalid("This document comes to more than we can keep.")
    return amount
