"""Which column of a file goes to which field, checked against the header and the resource."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.imports.guessing import guessed
from crm.imports.importable import Importable, Target
from crm.imports.models import Import, Mode
from tenants.foundation.errors import Invalid

ID = "id"


@dataclass(frozen=True, slots=True)
class Planned:
    """A column of the file, by its place, and the field it goes to; `words` says what to read for what is there."""

    index: int
    column: str
    target: Target
    words: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """How each row of a file is read. The values of a staged row are in the order of `columns`."""

    importable: Importable
    header: Sequence[str]
    columns: Sequence[Planned]
    mode: Mode
    match: int | None

    @classmethod
    def of(cls, record: Import, importable: Importable) -> "Plan":
        """The plan of an import that was accepted. Raises Invalid as `read_plan` does."""
        return read_plan(
            importable, record.header, record.mapping, record.values, Mode(record.mode), record.match_on
        )

    @property
    def self_referring(self) -> bool:
        return any(each.target.self_referring for each in self.columns)

    @property
    def sealed(self) -> list[int]:
        """The places of fields that are stored under the tenant's key."""
        return [n for n, each in enumerate(self.columns) if self.importable.sealed(each.target.column)]


def read_plan(
    importable: Importable,
    header: Sequence[str],
    mapping: Mapping[str, Any] | None,
    words: Mapping[str, Any],
    mode: Mode,
    match_on: str | None,
) -> Plan:
    """The plan that a mapping asks for, or the guessed one. Raises Invalid that names what doesn't fit."""
    chosen = (
        _chosen(importable, header, mapping)
        if mapping is not None
        else _guessed(importable, header, match_on)
    )
    planned = [
        Planned(header.index(column), column, importable.targets[name], _words(words, column, name))
        for column, names in chosen.items()
        for name in names
    ]
    _refuse_doubles(planned)
    _refuse_id(importable, planned, match_on)
    if unknown := [key for key in words if key not in header and key not in importable.targets]:
        raise Invalid(errors={"values": [f"'{key}' is neither a column nor a field." for key in unknown]})
    if mode is not Mode.UPDATE:
        _require(importable, planned)
    if mode is not Mode.CREATE:
        _refuse_once(importable, planned)
    return Plan(importable, header, planned, mode, _match(importable, planned, mode, match_on))


def as_mapping(plan: Plan) -> dict[str, Any]:
    """The mapping that is in use; a column that goes nowhere has null."""
    used: dict[str, Any] = dict.fromkeys(plan.header)
    for each in plan.columns:
        before = used[each.column]
        used[each.column] = (
            each.target.name
            if before is None
            else [*([before] if isinstance(before, str) else before), each.target.name]
        )
    return used


def _chosen(
    importable: Importable, header: Sequence[str], mapping: Mapping[str, Any]
) -> dict[str, list[str]]:
    errors = [f"The file has no column '{column}'." for column in mapping if column not in header]
    chosen: dict[str, list[str]] = {}
    for column, said in mapping.items():
        names = said if isinstance(said, list) else [said] if said is not None else []
        errors += [
            f"'{name}' is not a field of {importable.resource}."
            for name in names
            if name not in importable.targets
        ]
        chosen[column] = names
    if errors:
        raise Invalid(errors={"mapping": errors})
    return chosen


def _guessed(importable: Importable, header: Sequence[str], match_on: str | None) -> dict[str, list[str]]:
    """A file that was exported has a column of ids; it goes nowhere unless records are recognised by it."""
    found = guessed(header, importable.targets).items()
    return {column: [name] for column, name in found if name != ID or match_on == ID}


def _words(words: Mapping[str, Any], column: str, name: str) -> dict[str, str]:
    """What to read instead of what a cell says: for this column, and more closely for this field."""
    said = {**(words.get(column) or {}), **(words.get(name) or {})}
    return {
        str(old).strip(): "" if new is None else str(new) if isinstance(new, str) else json.dumps(new)
        for old, new in said.items()
    }


def _refuse_doubles(planned: Sequence[Planned]) -> None:
    seen: dict[str, Planned] = {}
    for each in planned:
        if other := seen.get(each.target.column):
            text = f"'{other.target.name}' and '{each.target.name}' set the same field:"
            raise Invalid(
                errors={"mapping": [f"{text} one column of '{other.column}', '{each.column}' can go there."]}
            )
        seen[each.target.column] = each
    if not planned:
        raise Invalid(errors={"mapping": ["No column of the file goes to a field: say which in `mapping`."]})


def _refuse_id(importable: Importable, planned: Sequence[Planned], match_on: str | None) -> None:
    """An id is no value that a file can give: it says at most which record a row is about."""
    if match_on != ID and any(each.target.name == ID for each in planned):
        text = f"'{ID}' can't be set: {importable.resource} get one when they are made."
        raise Invalid(errors={"mapping": [f"{text} To recognise records by it, use it in match_on."]})


def _require(importable: Importable, planned: Sequence[Planned]) -> None:
    there = {each.target.column for each in planned}
    if missing := [name for column, name in importable.required.items() if column not in there]:
        raise Invalid(
            errors={
                "mapping": [
                    f"New {importable.resource} need '{name}', and no column goes to it." for name in missing
                ]
            }
        )


def _refuse_once(importable: Importable, planned: Sequence[Planned]) -> None:
    if fixed := [each.target.name for each in planned if each.target.column in importable.once]:
        texts = [
            f"'{name}' can be given to new {importable.resource} only: use mode create." for name in fixed
        ]
        raise Invalid(errors={"mapping": texts})


def _match(
    importable: Importable, planned: Sequence[Planned], mode: Mode, match_on: str | None
) -> int | None:
    if match_on is None:
        if mode is not Mode.CREATE:
            raise Invalid(errors={"match_on": ["Say by which field records are recognised."]})
        return None
    for place, each in enumerate(planned):
        if (
            each.target.name == match_on
            and each.target.lookup is None
            and importable.recognises(each.target.column)
        ):
            return place
    raise Invalid(
        errors={"match_on": [f"No column goes to '{match_on}', or records can't be recognised by it."]}
    )
