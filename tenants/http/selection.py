"""What a reading route answers with: a description of records, which the house reads, narrows and renders."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from werkzeug.datastructures import MultiDict

from tenants.access.caller import Caller
from tenants.access.reaching import standing_values
from tenants.custom_fields.definitions import known_to
from tenants.custom_fields.models import COLUMN, PREFIX, Definition, Kind
from tenants.foundation.errors import Invalid
from tenants.http.closed import closed_to
from tenants.http.cursors import fingerprint_of, read_cursor
from tenants.http.custom_filters import filterable, is_closed
from tenants.http.filters import NO_FIELDS, read_filters
from tenants.http.reading import refuse_repeated
from tenants.http.representation import Resource
from tenants.http.selects import Built, Shape, build, conditions_of
from tenants.isolation.reading import Question

MOST = 200
USUAL = 50
OWN_ARGUMENTS = ("limit", "cursor", "sort", "include", "q")
#: `include` may come several times: they add up.
GIVEN_ONCE = ("limit", "cursor", "sort", "q")


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
        refuse_repeated(arguments, *GIVEN_ONCE)
        common = self._common(caller, MultiDict())
        wanted = {name: values for name, values in arguments.lists() if name != "q"}
        own = self._own_fields(caller, wanted)
        filters, values = read_filters(self.resource, wanted, common["hidden"] | common["masked"], own)
        words = self._words(arguments.get("q"))
        fixed, kinds = tuple(sorted(self.fixed)), _kinds(own, [name for name, _ in filters])
        shape = Shape(**common, filters=filters, fixed=fixed, custom=kinds, words=words is not None)
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
        refuse_repeated(arguments, *GIVEN_ONCE)
        common = self._common(caller, arguments)
        wanted = {name: values for name, values in arguments.lists() if name not in OWN_ARGUMENTS}
        closed = common["hidden"] | common["masked"]
        own = self._own_fields(caller, (*wanted, arguments.get("sort", "")))
        filters, values = read_filters(self.resource, wanted, closed, own)
        limit = _limit(arguments.get("limit"))
        sort = self._sort(arguments.get("sort") or self._usual_sort(closed), closed, own)
        words = self._words(arguments.get("q"))
        fingerprint = fingerprint_of(
            caller.tenant_id, self.resource.name, self.fixed, filters, values, sort, words
        )
        cursor, after = read_cursor(arguments.get("cursor"), fingerprint, len(sort))
        fixed = tuple(sorted(self.fixed))
        sought, kinds = words is not None, _kinds(own, [name for name, _ in (*filters, *sort)])
        shape = Shape(
            **self._shown(common), filters=filters, fixed=fixed, sort=sort, cursor=cursor, words=sought, limited=True,
            custom=kinds,
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

    def _own_fields(self, caller: Caller, said: Iterable[str]) -> Mapping[str, Definition]:
        """The tenant's own fields of this resource, where a question speaks of them."""
        if caller.tenant_id is None or not any(PREFIX in each for each in said):
            return NO_FIELDS
        if COLUMN not in self.resource.schema.fields:
            return NO_FIELDS
        return known_to(caller.tenant_id, caller.fields_version).of(self.resource.name)

    def _sort(
        self, text: str, closed: frozenset[str], own: Mapping[str, Definition]
    ) -> tuple[tuple[str, bool], ...]:
        sortable = {name: each for name, each in own.items() if each.kind is not Kind.CHOICES}
        known = self.resource.filterable.keys() | filterable(sortable).keys()
        keys = [(part.lstrip("-"), part.startswith("-")) for part in text.split(",") if part]
        if unknown := [name for name, _ in keys if name not in known or is_closed(name, closed)]:
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


def _kinds(own: Mapping[str, Definition], names: Sequence[str]) -> tuple[tuple[str, Kind], ...]:
    known = {PREFIX + name: each.kind for name, each in own.items()} if own else {}
    return tuple(sorted((name, known[name]) for name in {*names} if name in known))


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    number = int(text) if re.fullmatch(r"[0-9]{1,3}", text) else 0
    if not 1 <= number <= MOST:
        raise Invalid(errors={"limit": [f"A whole number from 1 to {MOST}."]})
    return number
