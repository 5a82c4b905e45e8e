"""Gapless numbers: one series per kind of document, counted in a row that the issuing transaction locks.

The row stays locked until the transaction ends, so whoever issues next waits, and what is rolled back takes
its number back with it. Take a number last: everybody else waits while it is held.
"""

from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Numeric, case, cast, func, select, update
from sqlalchemy.orm import Mapped

from crm.billing.models import Invoice
from crm.billing.settlement import CreditNote
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Purpose, Record, Source, column, one_of
from tenants.isolation.door import db
from tenants.provisioning.birth import seed

DIGITS = 6
#: A prefix never ends in a digit: `A1` + `000001` would be `A` + `1000001`.
PREFIX = r"^([A-Za-z0-9/-]{0,19}[A-Za-z/-])?$"


class Series(StrEnum):
    """The kinds of documents that are numbered, each by itself."""

    INVOICES = "invoices"
    CREDIT_NOTES = "credit-notes"


FIRST_PREFIX = {Series.INVOICES: "INV-", Series.CREDIT_NOTES: "CN-"}


class NumberSeries(Record, Base):
    """How far a series has come, and what its numbers begin with."""

    __tablename__ = "number_series"
    __resource__ = "number-series"
    __table_args__ = (
        one_of("name", Series),
        CheckConstraint("last >= 0", name="last_counted"),
        CheckConstraint(f"prefix ~ '{PREFIX}'", name="prefix_plain"),
    )
    __purpose__ = Purpose.INVOICING
    __audited__ = True
    __unruled__ = "It counts on for as long as documents are numbered."
    __rights__: ClassVar[str] = "select, insert, update"

    name: Mapped[str] = column(data=DataClass.BUSINESS, unique=True)
    prefix: Mapped[str] = column(data=DataClass.BUSINESS)
    last: Mapped[int] = column(BigInteger, data=DataClass.BUSINESS, default=0)


@seed
def plant_series() -> None:
    """A new tenant counts from one."""
    db().add_all(
        NumberSeries(name=name.value, prefix=prefix, source=Source.SYSTEM)
        for name, prefix in FIRST_PREFIX.items()
    )


def next_number(series: Series) -> str:
    """The next number of this tenant's series; the row is locked until the transaction ends."""
    counted = (
        update(NumberSeries)
        .where(NumberSeries.name == series.value)
        .values(last=NumberSeries.last + 1, version=NumberSeries.version + 1)
        .returning(NumberSeries.prefix, NumberSeries.last)
    )
    # The document that takes the number is what the audit tells of; the counting itself is not news.
    prefix, last = db().execute(counted.execution_options(audited=True, synchronize_session=False)).one()
    return f"{prefix}{last:0{DIGITS}d}"


def looks_counted(number: Any, prefix: Any) -> ColumnElement[bool]:
    """Whether a series with this prefix could give such a number, sooner or later."""
    return number.op("~")(func.concat("^", prefix, "[0-9]{6,}$"))


def choose_prefix(series: NumberSeries, prefix: str) -> None:
    """Begin the next numbers with this. Raises Conflict when the series would meet numbers from elsewhere."""
    number = (Invoice if series.name == Series.INVOICES.value else CreditNote).number
    counted = case((looks_counted(number, prefix), cast(func.substr(number, len(prefix) + 1), Numeric)))
    if db().scalar(select(number).where(counted > series.last).limit(1)):
        raise Conflict(
            f"There are documents from elsewhere with numbers that begin with '{prefix}'.",
            code="prefix_taken",
        )
    series.prefix = prefix
