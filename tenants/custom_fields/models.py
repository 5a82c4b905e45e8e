"""What tenants add to our records: the definition of a field, and the one column that holds the values of all."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import Base, DataClass, Purpose, Record, column, one_of

#: The column with the values, and how a single one is called in filters, rules and the audit: `custom.name`.
COLUMN = "custom"
PREFIX = f"{COLUMN}."
MOST_FIELDS = 100
MOST_CHOICES = 200
NAME = r"^[a-z][a-z0-9_]{0,49}$"


class Kind(StrEnum):
    """What a field of the tenant's own can hold."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    URL = "url"
    EMAIL = "email"

    @property
    def chosen(self) -> bool:
        """Whether a value is picked from what the definition lists."""
        return self in (Kind.CHOICE, Kind.CHOICES)


class CustomField(Record, Base):
    """A field that a tenant added to one resource. Its name and kind never change: values were made by them.

    `personal` says whether the values tell of people: the audit then keeps them where they can be erased.
    """

    __tablename__ = "custom_fields"
    __resource__ = "fields"
    __table_args__ = (
        UniqueConstraint("resource", "name"),
        CheckConstraint(f"name ~ '{NAME}'", name="name_plain"),
        one_of("kind", Kind),
    )
    __purpose__ = Purpose.OPERATION
    __audited__ = True
    __unruled__ = "It says which fields records have and tells of nobody; it goes when somebody deletes it."

    resource: Mapped[str] = column(data=DataClass.BUSINESS)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    label: Mapped[str] = column(data=DataClass.BUSINESS)
    kind: Mapped[str] = column(data=DataClass.BUSINESS)
    choices: Mapped[list[str]] = column(JSONB, data=DataClass.BUSINESS, default=list, server_default="[]")
    required: Mapped[bool] = column(Boolean, data=DataClass.BUSINESS, default=False, server_default="false")
    personal: Mapped[bool] = column(Boolean, data=DataClass.BUSINESS, default=True, server_default="true")
    position: Mapped[int] = column(Integer, data=DataClass.BUSINESS, default=0, server_default="0")
    archived_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)


class Customised:
    """A record that takes fields of the tenant's own, as far as they have values, by name.

    The whole column counts as free text about people; what the definitions say is finer and told by them.
    """

    custom: Mapped[dict[str, Any]] = column(
        JSONB, data=DataClass.FREE_TEXT, server_default="{}", sort_order=8, info={"custom": True}
    )


def custom_in(table: str) -> tuple[Index, CheckConstraint]:
    """What goes with the column: values are an object, and an index finds records by one.

    Tenants without fields of their own have nothing in that index.
    """
    index = Index(
        f"{table}_{COLUMN}_idx",
        COLUMN,
        postgresql_using="gin",
        postgresql_ops={COLUMN: "jsonb_path_ops"},
        postgresql_where=text(f"{COLUMN} <> '{{}}'::jsonb"),
    )
    return index, CheckConstraint(f"jsonb_typeof({COLUMN}) = 'object'", name=f"{COLUMN}_object")


@dataclass(frozen=True, slots=True)
class Definition:
    """A field as requests need it."""

    resource: str
    name: str
    kind: Kind
    choices: tuple[str, ...]
    required: bool
    personal: bool
    archived: bool

    @property
    def needed(self) -> bool:
        """Whether new records have to have a value."""
        return self.required and not self.archived


class Patch(dict[str, Any]):
    """Values of some fields, to be laid over those that a record has; None takes one away (RFC 7396)."""

    def over(self, before: dict[str, Any] | None) -> dict[str, Any]:
        """What the record has then, those without a value left out."""
        return {name: value for name, value in {**(before or {}), **self}.items() if value is not None}
