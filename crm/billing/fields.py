"""Fields of documents: quantities, percents and what is owed in tax, in words that lose no digit."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import marshmallow
from marshmallow import fields, validate
from sqlalchemy import ColumnElement

from crm.records.money_fields import Amount, Money, MoneySchema
from tenants.http.representation import SqlField, plain_number

MOST_OF_A_LINE = Decimal(1_000_000_000)
ABOVE_ZERO = validate.Range(0, min_inclusive=False)


class Number(fields.Decimal):
    """A decimal number in a text, `"2.5"`; more places than it has are refused, not rounded."""

    def __init__(self, places: int, **options: Any) -> None:
        metadata = {
            "type": "string",
            "pattern": rf"^\d{{1,10}}(\.\d{{1,{places}}})?$",
            **options.pop("metadata", {}),
        }
        self.most_places = places
        super().__init__(as_string=True, metadata=metadata, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> Decimal:
        if isinstance(value, float | bool):
            raise marshmallow.ValidationError('Write numbers as text, for instance "2.5".')
        number: Decimal = super()._deserialize(value, attr, data, **options)
        if abs(number) > MOST_OF_A_LINE:
            raise marshmallow.ValidationError("Larger than we can keep.")
        kept = number.quantize(Decimal(1).scaleb(-self.most_places))
        if kept != number:
            raise marshmallow.ValidationError(f"At most {self.most_places} decimal places.")
        return kept


def quantity(**options: Any) -> Number:
    return Number(3, validate=ABOVE_ZERO, **options)


def percent(**options: Any) -> Number:
    return Number(2, validate=validate.Range(0, 100), **options)


def day(**options: Any) -> fields.Date:
    """A day that a document can have: what is due 30 days later is a day, too."""
    between = validate.Range(date(1900, 1, 1), date(2999, 12, 31), error="A day from 1900 to 2999.")
    return fields.Date(validate=between, **options)


class PriceSchema(MoneySchema):
    """An amount that is not negative, and its currency."""

    amount = Amount(required=True, validate=validate.Range(0))


class ReceiptSchema(MoneySchema):
    """An amount above zero, and its currency."""

    amount = Amount(required=True, validate=ABOVE_ZERO)


class Price(Money):
    """Money that is asked for: never below zero."""

    kind = PriceSchema


class Receipt(Money):
    """Money that came: above zero."""

    kind = ReceiptSchema


class TaxPartSchema(marshmallow.Schema):
    """What is taxed at one rate, and the tax on it."""

    tax_rate = Number(2)
    tax_label = fields.String()
    net = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)


class TaxParts(SqlField, fields.List[Any]):
    """The tax of a document by rate, kept in one column in the form in which it is shown."""

    def __init__(self, column: str = "taxes", **options: Any) -> None:
        self.column = column
        super().__init__(fields.Nested(TaxPartSchema), **options)

    def rendered(self, table: Any) -> ColumnElement[Any]:
        return table.c[self.column]

    def comparable(self, table: Any) -> ColumnElement[Any]:
        return table.c[self.column]

    def read_value(self, text: str) -> Decimal:
        return plain_number(text)

    def columns(self, value: Any) -> dict[str, Any]:
        return {self.column: value}


class WholeNested(fields.Nested):
    """A nested body that is always complete: in a PATCH too, a list is replaced, not merged (RFC 7396)."""

    def _load(self, value: Any, partial: Any = None) -> Any:  # noqa: ARG002 - the point of it
        return super()._load(value, partial=False)
