"""What can be imported: the fields of a resource that a column of a file may go to."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields

from crm.imports.conversion import Convert, converter
from crm.records.money_fields import CURRENCY, Amount, Money
from tenants.access.permissions import Permission
from tenants.custom_fields.models import PREFIX, Definition, Kind
from tenants.foundation.tables import Base, Owned
from tenants.http.custom_values import field_of
from tenants.identity.models import Team, User

#: Kinds of the tenant's own fields whose values are written in one way only.
TELLING = (Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.URL, Kind.EMAIL)
LOWERED = re.compile(r"lower\(\(?(\w+)\)?\)")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A related record, found by a field of it that is meant to be unique. Upper and lower case are one.

    `within` narrows where it is looked for; `made` says that those which are lacking are made first; `through` says
    that `by` refers to another record, and which field of that one is compared.
    """

    model: type[Base]
    by: str
    noun: str
    within: Callable[[Any], sa.ColumnElement[bool]] | None = None
    made: bool = False
    through: tuple[type[Base], str] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a column of a file can go: a field of a record, or a look-up that sets one."""

    name: str
    column: str
    convert: Convert
    lookup: Lookup | None = None
    currency_of: str | None = None

    @property
    def self_referring(self) -> bool:
        return self.lookup is not None and self.column == "parent_id"


OWNERS = {
    "owner.name": ("owner_id", Lookup(User, "name", "user")),
    "owner.email": ("owner_id", Lookup(User, "email", "user")),
    "team.name": ("team_id", Lookup(Team, "name", "team")),
}


@dataclass(frozen=True, eq=False)
class Importable:
    """A resource that files can be imported into.

    Its fields are those of the body that a request would send. `lookups` add related records found by name, `more`
    adds fields that requests have elsewhere. The rest is SQL for rules of the record: `derived` gives columns from
    others when it is made, `checks` gives conditions that reject a row, each with its sentence. `first` runs before
    look-ups and makes what they will find, `follow` once the records are made, in the same transaction.
    `once` names columns that are set on new records only. `own` are the fields that the tenant at hand added.
    """

    resource: str
    noun: str
    model: Any
    body: marshmallow.Schema
    create: Permission
    edit: Permission
    lookups: Mapping[str, tuple[str, Lookup]] = field(default_factory=dict)
    more: Mapping[str, tuple[str, fields.Field[Any]]] = field(default_factory=dict)
    derived: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    checks: Callable[[Mapping[str, Any], Any], Iterator[tuple[sa.ColumnElement[bool], str]]] | None = None
    once: frozenset[str] = frozenset()
    first: Callable[[Any], None] | None = None
    follow: Callable[[Any], None] | None = None
    own: Mapping[str, Definition] = field(default_factory=dict)

    @cached_property
    def targets(self) -> dict[str, Target]:
        """Every field that a column may be mapped to, by name."""
        found = [Target("id", "id", converter(fields.UUID())), *self._of_body(), *self._of_lookups()]
        found += [Target(name, column, converter(each)) for name, (column, each) in self.more.items()]
        found += [
            Target(PREFIX + name, PREFIX + name, converter(field_of(each))) for name, each in self.own.items()
        ]
        return {each.name: each for each in found}

    @cached_property
    def required(self) -> dict[str, str]:
        """The columns that every new record needs, each with the field that is usually mapped to it."""
        needed = [PREFIX + name for name, each in self.own.items() if each.needed]
        found = {self._column(name, each): name for name, each in self.body.fields.items() if each.required}
        return found | {name: name for name in needed}

    @cached_property
    def currencies(self) -> dict[str, list[str]]:
        """Each column that holds a currency, with the columns of the amounts that it is of."""
        found: dict[str, list[str]] = {}
        for each in self.body.fields.values():
            if isinstance(each, Money):
                found.setdefault(each.currency, []).append(each.amount)
        return found

    @cached_property
    def unique(self) -> dict[str, bool]:
        """The columns that no two records share, and whether upper and lower case are one there."""
        table = self.model.__table__
        found = {each.name: False for each in table.columns if each.unique}
        for index in table.indexes:
            if index.unique and len(index.expressions) == 1:
                lowered = LOWERED.fullmatch(str(index.expressions[0]))
                found[lowered[1] if lowered else str(index.expressions[0]).rpartition(".")[2]] = bool(lowered)
        return found

    def type_of(self, column: str) -> sa.types.TypeEngine[Any]:
        return self.model.__table__.c[column].type

    def sealed(self, column: str) -> bool:
        found = self.model.__table__.c.get(column)
        return found is not None and bool(found.info.get("sealed"))

    def recognises(self, column: str) -> bool:
        """Whether records can be told by this column: by one text, which is the same in a file as in the record."""
        own = self.own.get(column.removeprefix(PREFIX)) if column.startswith(PREFIX) else None
        return not self.sealed(column) if own is None else own.kind in TELLING

    def _of_body(self) -> Iterator[Target]:
        columns = self.model.__table__.c
        for name, each in self.body.fields.items():
            if isinstance(each, Money):
                yield Target(name, each.amount, converter(Amount()))
                code = fields.String(validate=CURRENCY)
                yield Target(f"{name}.currency", each.currency, converter(code), currency_of=each.amount)
            elif isinstance(each, fields.UUID) and self._column(name, each) in columns:
                yield from self._by_id(name, self._column(name, each), each)
            elif self._column(name, each) in columns and not isinstance(each, fields.Nested | fields.Dict):
                yield Target(name, self._column(name, each), converter(each))

    def _by_id(self, name: str, column: str, each: fields.Field[Any]) -> Iterator[Target]:
        """A reference by id is looked up like one by name, so that it obeys the caller's reach."""
        for key in self.model.__table__.c[column].foreign_keys:
            for mapper in self.model.registry.mappers:
                if mapper.local_table is key.column.table:
                    noun = column.removesuffix("_id").replace("_", " ")
                    yield Target(name, column, converter(each), Lookup(mapper.class_, "id", noun))

    def _of_lookups(self) -> Iterator[Target]:
        owned = OWNERS if issubclass(self.model, Owned) else {}
        for name, (column, lookup) in {**owned, **self.lookups}.items():
            yield Target(name, column, converter(fields.String()), lookup)

    @staticmethod
    def _column(name: str, each: fields.Field[Any]) -> str:
        return each.amount if isinstance(each, Money) else each.attribute or name


_register: dict[str, Importable] = {}


def importable(made: Importable) -> Importable:
    """Declare that a resource can be imported."""
    return _register.setdefault(made.resource, made)


def importables() -> dict[str, Importable]:
    """Everything that can be imported, by resource."""
    return dict(_register)
