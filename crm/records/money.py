"""Money is an amount and a currency, never a float."""

from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa

AMOUNT = sa.Numeric(18, 2)
LARGEST = Decimal("9999999999999999.99")


def rounded(amount: Decimal) -> Decimal:
    """To the cent, halves away from zero: the rounding of every amount that is worked out."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
