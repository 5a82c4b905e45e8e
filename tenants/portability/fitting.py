"""Whether a sound bundle can become a tenant here: by its kind, its revision, and how its tables are built."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tenants.foundation.errors import Refusal
from tenants.isolation.door import here
from tenants.portability.columns import TEXT, UUID, Field, NoKind, kind_of
from tenants.portability.contents import left_out, tables
from tenants.portability.described import Described, DescribedTable
from tenants.portability.descriptor import PARTIAL
from tenants.provisioning.revisions import steps

#: How revisions are named: the later one is the greater one.
NUMBERED = re.compile(r"[0-9]{4}")


class BundleDoesNotFit(Refusal):
    """A sound bundle of tables that are not built as ours are, or as those of its revision were."""

    status = 409
    code = "bundle_does_not_fit"
    title = "This bundle is of another version"


def must_fit(described: Described, head: str) -> None:
    """What can be said before anything is made. Raises BundleDoesNotFit."""
    if not described.format.restorable:
        raise BundleDoesNotFit(
            f"A bundle in {described.format} is for asking questions of. Bring in one in csv or jsonl."
        )
    if described.partial:
        raise BundleDoesNotFit(f"This bundle is not of a whole tenant. {PARTIAL}")
    if described.whole:
        raise BundleDoesNotFit(
            "It is a tenant that was put away, for its own keys alone: it comes back as itself."
        )
    if described.schema_revision != head:
        _must_be_known(described.schema_revision, head)
    else:
        _must_be_as_ours(described)


def must_be_as_then(described: Described) -> None:
    """Hold the tables of a bundle against those of its own revision, which the tenant at hand has.

    What a bundle says of itself (which fields are sealed, what refers to what, what names the tenant) is believed
    where the tables bear it out. Raises BundleDoesNotFit.
    """
    standing = _Standing.found()
    wrong = {each.name for each in described.tables if not _is_as_then(each, standing)}
    wrong |= standing.columns.keys() - {each.name for each in described.tables} - described.left_out
    if wrong:
        _differ(wrong, f"those of revision {described.schema_revision}")


def _must_be_known(revision: str, head: str) -> None:
    known = [each.name for each in steps("tenant", None)]
    if revision in known:
        return
    its = f"It is of revision {revision}, and this program knows {known[0]} to {head}."
    if NUMBERED.fullmatch(revision) and revision > known[-1]:
        raise BundleDoesNotFit(f"{its} Update the program first, then bring it in.")
    raise BundleDoesNotFit(f"{its} No version of it has ever had tables of that revision.")


def _must_be_as_ours(described: Described) -> None:
    ours = {each.name: _fields(each.columns) for each in tables()}
    theirs = {each.name: _fields(each.fields) for each in described.tables}
    if different := {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}:
        _differ(different, "ours")


def _fields(fields: Sequence[Field]) -> set[tuple[str, str]]:
    return {(each.name, each.kind.name) for each in fields}


def _differ(names: set[str], whose: str) -> None:
    raise BundleDoesNotFit(f"These tables are not built as {whose} are: {', '.join(sorted(names))}.")


@dataclass(frozen=True)
class _Standing:
    """The tables of the tenant at hand as the database has them: columns with their types, keys, references."""

    columns: Mapping[str, Mapping[str, Any]]
    keys: Mapping[str, Sequence[str]]
    references: Mapping[str, set[tuple[str, str]]]

    @classmethod
    def found(cls) -> "_Standing":
        seen = sa.inspect(here().connection)
        return cls(
            {name: {each["name"]: each["type"] for each in found if "computed" not in each}
             for (_, name), found in seen.get_multi_columns().items()},
            {name: found["constrained_columns"] for (_, name), found in seen.get_multi_pk_constraint().items()},
            {name: {(column, each["referred_table"]) for each in found for column in each["constrained_columns"]}
             for (_, name), found in seen.get_multi_foreign_keys().items()},
        )  # fmt: skip


def _is_as_then(table: DescribedTable, standing: _Standing) -> bool:
    columns = standing.columns.get(table.name)
    if columns is None or set(table.key) != set(standing.keys[table.name]):
        return False
    references = {(each.field, each.table) for each in table.references}
    return (
        all(each.name in columns and _holds(columns[each.name], each) for each in table.fields)
        and references <= standing.references[table.name]
        and all(not each.sealed or _key_is_an_id(table) for each in table.fields)
        and not any(_what_stays(table))
        and _names_the_tenant_as_ours(table)
    )


def _holds(type_: Any, field: Field) -> bool:
    """Whether a column of this type is one for the values of a field: sealed texts are kept as bytes."""
    if field.sealed:
        return field.kind is TEXT and isinstance(type_, sa.LargeBinary)
    try:
        return kind_of(sa.Column(field.name, type_)) is field.kind
    except NoKind:
        return False


def _key_is_an_id(table: DescribedTable) -> bool:
    return table.key == ("id",) and any(each.name == "id" and each.kind is UUID for each in table.fields)


def _what_stays(table: DescribedTable) -> Iterator[str]:
    """What no bundle of today holds, credentials above all, comes in by none of yesterday either."""
    stays = [each for each in left_out() if each.table == table.name]
    yield from (each.table for each in stays if not each.columns)
    gone = {name for each in stays for name in each.columns}
    sealed = {field.name for each in tables() if each.name == table.name for field in each.sealed}
    yield from (each.name for each in table.fields if each.name in gone)
    yield from (each.name for each in table.fields if each.name in sealed and not each.sealed)


def _names_the_tenant_as_ours(table: DescribedTable) -> bool:
    """The key by which a tenant knows itself is never another's; what else names it is said anew once all is here."""
    ours = next((each for each in tables() if each.name == table.name), None)
    names = set(ours.names_tenant) if ours else set()
    return names & set(table.key) <= set(table.names_tenant) <= names
