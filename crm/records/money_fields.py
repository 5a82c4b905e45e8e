"""How money looks in JSON: `{"amount": "12.50", "currency": "EUR"}`, both columns as one field."""

from decimal import Decimal
from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, func, literal_column

from crm.records.money import LARGEST
from tenants.http.representation import SqlField, plain_number
from tenants.http.texts import Pattern

CURRENCY = Pattern(r"^[A-Z]{3}$", error="Three capital letters, as ISO 4217 has them.")


class Amount(fields.Decimal):
    """A decimal number in a string, with at most two places; more are refused, not rounded."""

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "pattern": r"^-?\d{1,16}(\.\d{1,2})?$", **options.pop("metadata", {})}
        super().__init__(as_string=True, metadata=metadata, **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, float | bool):
            raise marshmallow.ValidationError('Write amounts as text, for instance "12.50".')
        number: Decimal = super()._deserialize(value, *args, **kwargs)
        if abs(number) > LARGEST:
            raise marshmallow.ValidationError("Larger than we can keep.")
        kept = number.quantize(Decimal("0.01"))
        if kept != number:
            raise marshmallow.ValidationError("At most two decimal places.")
        return kept


class MoneySchema(marshmallow.Schema):
    """An amount and its currency."""

    class Meta:
        unknown = marshmallow.RAISE

    amount = Amount(required=True)
    currency = fields.String(required=True, validate=CURRENCY)


class Money(SqlField, fields.Nested):
    """Two columns as one field. Filters and sorts compare the amount."""

    kind: type[MoneySchema] = MoneySchema

    def __init__(self, amount: str, currency: str = "currency", **options: Any) -> None:
        self.amount, self.currency = amount, currency
        super().__init__(self.kind, **options)

    def _load(self, value: Any, partial: Any = None) -> Any:  # noqa: ARG002 - also a PATCH says both or none
        return super()._load(value, partial=False)

    def rendered(self, table: Any) -> ColumnElement[Any]:
        made = func.json_build_object(
            literal_column("'amount'"), sa.cast(table.c[self.amount], sa.Text),
            literal_column("'currency'"), table.c[self.currency],
        )  # fmt: skip
        return sa.case((table.c[self.amount].is_not(None), made))

    def comparable(self, table: Any) -> ColumnElement[Any]:
        return table.c[self.amount]

    def read_value(self, text: str) -> Decimal:
        return plain_number(text)

    def columns(self, value: dict[str, Any] | None) -> dict[str, Any]:
        """The two columns that a value from a request's body sets; null empties both."""
        said = value or {"amount": None, "currency": None}
        return {self.amount: said["amount"], self.currency: said["currency"]}

    def get_value(self, obj: Any, *_how: Any, **_else: Any) -> Any:
        amount = getattr(obj, self.amount, None)
        return None if amount is None else {"amount": amount, "currency": getattr(obj, self.currency)}
