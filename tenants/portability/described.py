"""Reads datapackage.json: what a bundle says of itself, which may come from another version of the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Said

from tenants.portability.columns import Field, kind_of_field
from tenants.portability.descriptor import MISSING, VERSION
from tenants.portability.formats import Format


@dataclass(frozen=True)
class DescribedReference:
    """A foreign key of one field, and the table whose key it holds."""

    field: str
    table: str


@dataclass(frozen=True)
class DescribedFile:
    """Any file: how large it is and what its content hashes to."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DescribedTable:
    """A table's file: what its rows look like."""

    name: str
    file: DescribedFile
    rows: int
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    unique: tuple[str, ...]
    references: tuple[DescribedReference, ...]
    names_tenant: tuple[str, ...]
    """Fields that name the tenant itself, so that a copy of the tenant has its own."""


@dataclass(frozen=True)
class Described:
    """All that a bundle says of itself."""

    tenant_id: str
    slug: str
    name: str
    format: Format
    schema_revision: str
    snapshot_at: str
    tables: tuple[DescribedTable, ...]
    others: tuple[DescribedFile, ...]
    partial: bool
    """Whether it holds chosen records only, and no tenant can be made of it."""
    left_out: frozenset[str]
    """Tables of which it says that no row is in it."""
    missing_files: tuple[str, ...]
    """Ids of attachments whose files storage had lost when the bundle was made."""
    whole: bool = False
    """Whether it is the tenant itself, put elsewhere for a while, and no copy for others."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Constraints(_Model):
    required: bool = False
    unique: bool = False
    enum: list[str] | None = None


class _Reference(_Model):
    resource: str
    fields: list[str] = Said(min_length=1, max_length=1)


class _ForeignKey(_Model):
    fields: list[str] = Said(min_length=1, max_length=1)
    reference: _Reference


class _Schema(_Model):
    fields: list[dict[str, Any]] = Said(min_length=1)
    missing: list[str] = Said(alias="missingValues")
    key: list[str] = Said(alias="primaryKey", min_length=1)
    references: list[_ForeignKey] = Said(default=[], alias="foreignKeys")
    names_tenant: list[str] = Said(default=[], alias="namesTenant")


class _Resource(_Model):
    name: str
    path: str
    bytes: int = Said(ge=0)
    hash: str = Said(pattern="^sha256:[0-9a-f]{64}$")
    rows: int = Said(0, ge=0)
    table: _Schema | None = Said(None, alias="schema")


class _Tenant(_Model):
    id: str
    slug: str
    name: str


class _LeftOut(_Model):
    table: str
    columns: list[str] = []


class _Ours(_Model):
    version: int
    format: Format
    tenant: _Tenant
    schema_revision: str = Said(alias="schemaRevision")
    snapshot_at: str = Said(alias="snapshotAt")
    partial: dict[str, Any] | None = None
    whole: bool = False
    excluded: list[_LeftOut] = []


class _Package(_Model):
    ours: _Ours = Said(alias="freehold")
    resources: list[_Resource]
    missing_files: list[str] = Said(default=[], alias="missingFiles")


def describe(descriptor: Any) -> Described:
    """Raises ValueError with a sentence when this is not how bundles describe themselves."""
    try:
        package = _Package.model_validate(descriptor)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        wrong = first["msg"].replace("Field required", "it is missing")
        raise ValueError(f"datapackage.json does not describe a bundle: {place}: {wrong}.") from error
    ours = package.ours
    if ours.version != VERSION:
        raise ValueError(f"It has layout {ours.version}, and this program reads layout {VERSION}.")
    names = [each.name for each in package.resources]
    if len(set(names)) < len(names) or len({each.path for each in package.resources}) < len(names):
        raise ValueError("datapackage.json names a file or a table twice.")
    tables = tuple(_table(each, each.table) for each in package.resources if each.table)
    _must_be_shown_safely(package, tables)
    return Described(
        ours.tenant.id, ours.tenant.slug, ours.tenant.name, ours.format, ours.schema_revision, ours.snapshot_at,
        tables,
        tuple(_file(each) for each in package.resources if not each.table),
        ours.partial is not None,
        frozenset(each.table for each in ours.excluded if not each.columns),
        tuple(package.missing_files),
        ours.whole,
    )  # fmt: skip


def _must_be_shown_safely(package: _Package, tables: tuple[DescribedTable, ...]) -> None:
    """Whoever looks at a bundle sees these words on a terminal, which obeys what can't be printed."""
    ours = package.ours
    words = [ours.tenant.id, ours.tenant.slug, ours.schema_revision, ours.snapshot_at, *package.missing_files]
    words += [word for each in package.resources for word in (each.name, each.path)]
    words += [each.name for table in tables for each in table.fields]
    words += [each.table for table in tables for each in table.references]
    if odd := next((each for each in words if not each.isprintable()), None):
        raise ValueError(f"datapackage.json names something that can't be printed: {odd[:200]!a}.")


def _file(resource: _Resource) -> DescribedFile:
    return DescribedFile(resource.path, resource.bytes, resource.hash.removeprefix("sha256:"))


def _table(resource: _Resource, schema: _Schema) -> DescribedTable:
    if schema.missing != [MISSING]:
        raise ValueError(f"{resource.path}: a missing value has to be written as {MISSING}.")
    fields = tuple(_field(resource.path, each) for each in schema.fields)
    names = {each.name for each in fields}
    said = {*schema.key, *(each.fields[0] for each in schema.references)}
    if len(names) < len(fields) or not said <= names:
        raise ValueError(f"{resource.path}: the fields of its schema don't fit together.")
    unique = tuple(each["name"] for each in schema.fields if _constraints(each).unique)
    references = tuple(
        DescribedReference(each.fields[0], each.reference.resource or resource.name) for each in schema.references
    )  # fmt: skip
    return DescribedTable(
        resource.name, _file(resource), resource.rows, fields, tuple(schema.key), unique, references,
        tuple(schema.names_tenant),
    )  # fmt: skip


def _field(path: str, said: Mapping[str, Any]) -> Field:
    name, kind, constraints = said.get("name"), kind_of_field(said), _constraints(said)
    if not isinstance(name, str) or kind is None:
        raise ValueError(f"{path}: the field {name!r} has a type that bundles don't use.")
    words = frozenset(constraints.enum) if constraints.enum is not None else None
    return Field(name, kind, constraints.required, said.get("sealed") is True, words)


def _constraints(said: Mapping[str, Any]) -> _Constraints:
    try:
        return _Constraints.model_validate(said.get("constraints", {}))
    except ValidationError as error:
        raise ValueError(f"The constraints of a field are none: {error.errors()[0]['msg']}") from error
