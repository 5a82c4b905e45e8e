"""The ground of every table: what a column holds, why it is kept, and what each record has in common.

A column that does not say its data class, or a table that does not say its purpose, stops the start
(`undeclared`): nothing is collected that is not declared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, MetaData, Text, Uuid, event
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, declared_attr, mapped_column

from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id

NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class DataClass(StrEnum):
    """What kind of data a column holds; `personal` ones are kept out of logs and hashed in the audit."""

    TECHNICAL = "technical"
    BUSINESS = "business"
    IDENTITY = "identity"
    CONTACT = "contact"
    OFFICIAL_NUMBER = "official_number"
    FINANCIAL = "financial"
    ONLINE = "online"
    FREE_TEXT = "free_text"
    CREDENTIAL = "credential"

    @property
    def personal(self) -> bool:
        return self not in (DataClass.TECHNICAL, DataClass.BUSINESS)


class Purpose(StrEnum):
    """Why something is kept or done. Marketing for third parties is not among them, on purpose."""

    SALES = "sales"
    INVOICING = "invoicing"
    ACCOUNT = "account"
    SECURITY = "security"
    PORTABILITY = "portability"
    OPERATION = "operation"


class Source(StrEnum):
    """How a record came to us."""

    ENTERED = "entered"
    IMPORT = "import"
    CHANNEL = "channel"
    API = "api"
    SYSTEM = "system"


@dataclass(frozen=True)
class AtRest:
    """How a state comes back in a copy of the tenant without going on by itself there.

    Instead of one of `states` the row has `word`, and the recorded state is beside it, in the column `beside`.
    Mark the column of the state with `column(info={"at_rest": AtRest(…)})`.
    """

    states: frozenset[str]
    word: str
    beside: str


class Base(DeclarativeBase):
    """Ground of every table of a tenant. It names no schema: the transaction's role decides."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        str: Text(),
    }
    __purpose__: ClassVar[Purpose]
    __audited__: ClassVar[bool] = False
    """Changes of audited records are written to the audit in the same transaction."""
    __governed_by__: ClassVar[str] = ""
    """The resource whose permissions say who sees what happened to these rows, where they have none of their own."""
    __unruled__: ClassVar[str] = ""
    """Why no retention rule speaks of these rows, where they are audited and nobody declared them as kept."""
    __stays__: ClassVar[str] = ""
    """Why the rows never leave with a bundle of the tenant; most do."""
    __of_this_place__: ClassVar[bool] = False
    """Whether the rows tell how the schema is built here: they stay even when the tenant itself is put elsewhere."""
    __names_tenant__: ClassVar[tuple[str, ...]] = ()
    """Columns that name the tenant itself or say how it stands, so that a copy of the tenant has its own."""
    __attachments__: ClassVar[bool] = False
    """Whether files can be attached to its records, by whoever may change them."""


@event.listens_for(Base, "init", propagate=True)
def _identify(record: Base, _args: tuple[Any, ...], fields: dict[str, Any]) -> None:
    """A record knows its id from the start: its sealed values are bound to it before the row exists."""
    if isinstance(record, Identified):
        fields.setdefault("id", new_id())


def column(*args: Any, data: DataClass, sealed: bool = False, **options: Any) -> MappedColumn[Any]:
    """A mapped column that says what it holds; `sealed` ones are stored under the tenant's data key."""
    info = {**options.pop("info", {}), "data": data, "sealed": sealed}
    return mapped_column(*args, info=info, **options)


def one_of(name: str, values: Iterable[str]) -> CheckConstraint:
    """A CHECK that a text column holds one of these words (per-schema enum types break cached plans)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} in ({listed})", name=f"{name}_known")


class Identified:
    """A primary key that is made by us before the row exists."""

    id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True, default=new_id, sort_order=-1)


class Record(Identified):
    """What every record has: when it came and changed, its version (the ETag), and where it came from."""

    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now, sort_order=9)
    updated_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now, onupdate=now, sort_order=9)
    version: Mapped[int] = column(
        Integer, data=DataClass.TECHNICAL, default=1, server_default="1", sort_order=9
    )
    source: Mapped[str] = column(data=DataClass.TECHNICAL, sort_order=9)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        table: Any = cls.__dict__.get("__table__")
        return {} if table is None else {"version_id_col": table.c.version}


class Owned:
    """A record that belongs to a user and a team; both decide whose reach it is in."""

    @declared_attr
    @classmethod
    def owner_id(cls) -> Mapped[UUID | None]:
        return column(ForeignKey("users.id"), data=DataClass.TECHNICAL, index=True)

    @declared_attr
    @classmethod
    def team_id(cls) -> Mapped[UUID | None]:
        return column(ForeignKey("teams.id"), data=DataClass.TECHNICAL, index=True)


def undeclared(base: type[DeclarativeBase]) -> Iterator[str]:
    """A sentence for every table without a purpose and every column without a data class."""
    for mapper in base.registry.mappers:
        if not isinstance(getattr(mapper.class_, "__purpose__", None), Purpose):
            yield f"{mapper.class_.__name__} does not say its purpose (__purpose__)."
    for table in base.metadata.tables.values():
        for each in table.columns:
            if not isinstance(each.info.get("data"), DataClass):
                yield f"{table.name}.{each.name} does not say its data class (column(data=…))."
