"""What a reading route answers with: a description of records, which the house reads, narrows and renders."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from werkzeug.datastructures import MultiDict

from tenants.access.caller import Caller
from tenants.access.reaching import standing_values
from tenants.foundation.encryption import Context
from tenants.foundation.errors import Invalid, NotFound
from tenants.http.closed import closed_to
from tenants.http.filters import read_filters
from tenants.http.representation import Resource
from tenants.http.selects import Built, Shape, build, conditions_of
from tenants.isolation.reading import Question
from tenants.isolation.sealing import opened_text

MOST = 200
USUAL = 50
OWN_ARGUMENTS = ("limit", "cursor", "sort", "include", "q")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is ready to be sent, and what is needed to read its answer."""

    question: Question
    built: Built
    resource: Resource
    fingerprint: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What every row of a selection meets, and the parameters of that: for figures over what a list would show."""

    conditions: list[ColumnElement[bool]]
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """Records of one resource, with fixed conditions (`deal_id` in a path, say) that every row must meet."""

    resource: Resource
    fixed: Mapping[str, Any] = field(default_factory=dict)
    single: bool = False
    only: Sequence[UUID] | None = None
    """No other records than these."""
    bare: bool = False
    """Which records they are, and nothing of what is in them."""

    def ask(self, caller: Caller, arguments: MultiDict[str, str]) -> Asked:
        """The question for this caller and query string. Raises Invalid that names what is wrong with it."""
        return self._ask_one(caller, arguments) if self.single else self._ask_page(caller, arguments)

    def narrowing(self, caller: Caller, arguments: MultiDict[str, str]) -> Narrowing:
        """The where-clause of a list with these filters and `q`, over the resource's table. Raises as `ask` does."""
        common = self._common(caller, MultiDict())
        wanted = {name: values for name, values in arguments.lists() if name != "q"}
        filters, values = read_filters(self.resource, wanted, common["hidden"] | common["masked"])
        words = self._words(arguments.get("q"))
        shape = Shape(**common, filters=filters, fixed=tuple(sorted(self.fixed)), words=words is not None)
        conditions = conditions_of(self.resource, shape, self.resource.mapper.local_table)
        return Narrowing(
            conditions, {**self._values(caller), **values, **({"words": words} if words else {})}
        )

    def _ask_one(self, caller: Caller, arguments: MultiDict[str, str]) -> Asked:
        unknown = {name: ["There is no such parameter."] for name in arguments if name != "include"}
        if unknown:
            raise Invalid(errors=unknown)
        common = self._shown(self._common(caller, arguments))
        shape = Shape(**common, fixed=tuple(sorted(self.fixed)), sort=(("id", False),))
        built = build(self.resource, shape)
        return Asked(Question(built.sql, {**built.constants, **self._values(caller)}), built, self.resource)

    def _ask_page(self, caller: Caller, arguments: MultiDict[str, str]) -> Asked:
        common = self._common(caller, arguments)
        wanted = {name: values for name, values in arguments.lists() if name not in OWN_ARGUMENTS}
        closed = common["hidden"] | common["masked"]
        filters, values = read_filters(self.resource, wanted, closed)
        limit = _limit(arguments.get("limit"))
        sort = self._sort(arguments.get("sort") or self._usual_sort(closed), closed)
        words = self._words(arguments.get("q"))
        fingerprint = _fingerprint(
            caller.tenant_id, self.resource.name, self.fixed, filters, values, sort, words
        )
        cursor, after = _read_cursor(arguments.get("cursor"), fingerprint, len(sort))
        fixed = tuple(sorted(self.fixed))
        sought = words is not None
        shape = Shape(
            **self._shown(common), filters=filters, fixed=fixed, sort=sort, cursor=cursor, words=sought, limited=True
        )  # fmt: skip
        built = build(self.resource, shape)
        every = {
            **built.constants,
            **self._values(caller),
            **values,
            **after,
            "limit": limit + 1,
            "words": words,
        }
        return Asked(Question(built.sql, every), built, self.resource, fingerprint, limit)

    def _common(self, caller: Caller, arguments: MultiDict[str, str]) -> dict[str, Any]:
        names = [name for part in arguments.getlist("include") for name in part.split(",") if name]
        known = self.resource.includable
        if unknown := [name for name in names if name not in known]:
            raise Invalid(errors={"include": [f"'{name}' can't be included." for name in unknown]})
        closed = closed_to(caller, self.resource)
        if shut := [name for name in names if name in closed.hidden]:
            raise Invalid(errors={"include": [f"'{name}' can't be included." for name in shut]})
        return {
            "includes": tuple(sorted(set(names))),
            "hidden": closed.hidden,
            "masked": closed.masked,
            "elsewhere": closed.elsewhere,
            "unsearched": closed.unsearched,
            "extents": tuple(
                [(each, caller.extent(f"{each}:read")) for each in self.resource.resources_shown]
            ),
            "only": self.only is not None,
        }

    def _shown(self, common: dict[str, Any]) -> dict[str, Any]:
        """What is closed to filters stays closed; a bare selection shows nothing else than ids."""
        if not self.bare:
            return common
        return common | {"includes": (), "hidden": frozenset(self.resource.schema.fields) - {"id"}}

    def _values(self, caller: Caller) -> dict[str, Any]:
        only = {} if self.only is None else {"only": list(self.only)}
        fixed = {f"fixed_{name}": value for name, value in self.fixed.items()}
        return {**standing_values(caller), **fixed, **only}

    def _usual_sort(self, closed: frozenset[str]) -> str:
        return ",".join(each for each in self.resource.sort.split(",") if each.lstrip("-") not in closed)

    def _sort(self, text: str, closed: frozenset[str]) -> tuple[tuple[str, bool], ...]:
        known = self.resource.filterable
        keys = [(part.lstrip("-"), part.startswith("-")) for part in text.split(",") if part]
        if unknown := [name for name, _ in keys if name not in known or name in closed]:
            raise Invalid(errors={"sort": [f"'{name}' can't be sorted by." for name in unknown]})
        if not keys or keys[-1][0] != "id":
            keys.append(("id", keys[-1][1] if keys else False))
        return tuple(dict(keys).items())

    def _words(self, text: str | None) -> str | None:
        if text is None:
            return None
        if self.resource.search is None:
            raise Invalid(errors={"q": ["This list can't be searched by words."]})
        words = re.findall(r"\w+", text.replace("\0", " "))
        if not words:
            raise Invalid(errors={"q": ["Give at least one word or number."]})
        return " & ".join(f"'{word}':*" for word in words[:20])


def page(
    asked: Asked, rows: Sequence[tuple[Any, ...]], tenant_id: UUID, *, more: bool | None = None
) -> bytes:
    """The JSON of a page, and the cursor to the next; `more` where it is known beforehand whether there is one."""
    more = bool(rows) and more if more is not None else len(rows) > asked.limit
    shown = rows[: asked.limit]
    cursor = f'"{_write_cursor(asked, shown[-1])}"' if more else "null"
    records = ",".join(
        [row[0] for row in shown]
        if not asked.built.sealed
        else [_opened(asked, row, tenant_id) for row in shown]
    )
    return f'{{"data":[{records}],"next_cursor":{cursor}}}'.encode()


def one(asked: Asked, rows: Sequence[tuple[Any, ...]], tenant_id: UUID) -> bytes:
    """The JSON of a single record. Raises NotFound when there is none within reach."""
    if not rows:
        raise NotFound
    return (_opened(asked, rows[0], tenant_id) if asked.built.sealed else rows[0][0]).encode()


def _opened(asked: Asked, row: tuple[Any, ...], tenant_id: UUID) -> str:
    """The row's JSON with its sealed fields, opened here, spliced in. The last key of every sort is the id."""
    built, text = asked.built, str(row[0])
    values = row[1 + built.keys :]
    if not any(values):
        return text[:-1] + _nothing_in(built.sealed)
    sealed = zip(built.sealed, values, strict=True)
    table, row_id = asked.resource.mapper.local_table.name, UUID(row[built.keys])
    opened = {name: opened_text(value, Context(tenant_id, table, name, row_id)) for name, value in sealed}
    return text[:-1] + "," + json.dumps(opened)[1:]


@lru_cache(1000)
def _nothing_in(sealed: tuple[str, ...]) -> str:
    """What is spliced into most rows: none of the sealed fields has a value."""
    return "," + json.dumps(dict.fromkeys(sealed))[1:]


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= number <= MOST:
        raise Invalid(errors={"limit": [f"A whole number from 1 to {MOST}."]})
    return number


def _fingerprint(*parts: Any) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _write_cursor(asked: Asked, row: tuple[Any, ...]) -> str:
    keys = [asked.fingerprint, *row[1 : 1 + asked.built.keys]]
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def _read_cursor(
    text: str | None, fingerprint: str, keys: int
) -> tuple[tuple[bool, ...] | None, dict[str, Any]]:
    """Which keys are null, and the parameters. A cursor of another list, filter or sort is refused."""
    if text is None:
        return None, {}
    try:
        read = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        mark, *values = read
        fits = (
            mark == fingerprint
            and len(values) == keys
            and all(each is None or isinstance(each, str) for each in values)
        )
        "".join(filter(None, values)).encode()  # half of a surrogate pair is no text
    except (ValueError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise Invalid(
            errors={"cursor": ["This cursor is not of this list with these filters and this sort."]}
        )
    return tuple(each is None for each in values), {
        f"after_{number}": each for number, each in enumerate(values)
    }
