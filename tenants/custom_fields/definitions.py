"""The definitions of a tenant's own fields: read once per version, which the guard tells with every standing.

A tenant without such fields has no version, and nothing is asked for it. Whoever writes values holds a turn until
their transaction ends, whoever changes definitions waits for it: no value is written for a field that just went.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import UUID

import orjson

from tenants.catalog.registry import Home
from tenants.custom_fields.models import Customised, Definition, Kind
from tenants.foundation.errors import Unavailable
from tenants.foundation.tables import Base
from tenants.isolation.door import here, is_inside
from tenants.isolation.reading import Question, read
from tenants.isolation.turns import hold_open

TURN = "custom-fields"
NOTE = "custom-fields"
#: What the caller's standing says of them is of before this transaction changed some.
OUTDATED = "custom-fields-outdated"
REMEMBERED = 2_000
#: A caller whose standing says nothing of definitions: the system, or our own people.
UNKNOWN = ""
CHANGED = "update tenant_profile set fields_version = gen_random_uuid()"
VERSION = "select fields_version::text from tenant_profile"
DEFINITIONS = """
select t.fields_version::text, (
  select json_agg(json_build_array(resource, name, kind, choices, required, personal, archived_at is not null)
                  order by position, name) from custom_fields)::text
from tenant_profile t
"""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every field that a tenant defined, archived ones too, by resource and name."""

    version: str | None = None
    by_resource: Mapping[str, Mapping[str, Definition]] = field(default_factory=dict)

    def of(self, resource: str) -> Mapping[str, Definition]:
        """The fields of one resource, in their order."""
        return self.by_resource.get(resource, {})


NONE = Definitions()
_kept: OrderedDict[UUID, Definitions] = OrderedDict()
_lock = Lock()


def definitions(*, holding: bool = False) -> Definitions:
    """The definitions of the tenant at hand, inside its transaction.

    `holding` keeps them as they are until the transaction ends, for whoever writes values. Raises Unavailable when
    somebody changes them just now and takes too long.
    """
    tenancy = here()
    if holding:
        hold_open(TURN)
        found = _newest(tenancy.home, tenancy.ask_within_flush(VERSION, {})[0][0])
    elif NOTE in tenancy.notes:
        return tenancy.notes[NOTE]  # type: ignore[no-any-return]
    else:
        version = getattr(getattr(tenancy.caller, "caller", None), "fields_version", UNKNOWN)
        if version == UNKNOWN or OUTDATED in tenancy.notes:
            version = tenancy.ask_within_flush(VERSION, {})[0][0]
        found = _newest(tenancy.home, version)
    tenancy.notes[NOTE] = found
    return found


def definitions_changed() -> None:
    """Say, in the transaction that changed some, that every process has to read them anew."""
    tenancy = here()
    tenancy.notes.pop(NOTE, None)
    tenancy.notes[OUTDATED] = True
    tenancy.send_along(CHANGED, {})


def is_known(home: Home, version: str | None) -> bool:
    """Have the definitions of this version ready for `known_to`; whether they still are the ones in force."""
    if version is None or _found(home.id, version) is not None:
        return True
    ((row,),) = read(home, Question(DEFINITIONS, {}))
    return _keep(home.id, row).version == version


def known_to(tenant_id: UUID, version: str | None) -> Definitions:
    """The definitions that a reading request goes by. Raises Unavailable when they were forgotten just now."""
    if is_inside():
        return definitions()
    if version in (None, UNKNOWN):
        return NONE
    found = _found(tenant_id, version)
    if found is None:
        raise Unavailable("The fields of this workspace are being changed at this moment. Try again.")
    return found


def customised() -> Mapping[str, Any]:
    """The models whose records take fields of the tenant's own, by resource."""
    return dict(sorted(_customised()))


def _customised() -> Iterator[tuple[str, Any]]:
    for mapper in Base.registry.mappers:
        if issubclass(mapper.class_, Customised):
            table = mapper.local_table.name  # type: ignore[attr-defined]
            yield str(getattr(mapper.class_, "__resource__", table)), mapper.class_


def _newest(home: Home, version: str | None) -> Definitions:
    if version is None:
        return NONE
    return _found(home.id, version) or _keep(home.id, here().ask_within_flush(DEFINITIONS, {})[0])


def _found(tenant_id: UUID, version: str | None) -> Definitions | None:
    found = _kept.get(tenant_id)
    return found if found is not None and found.version == version else None


def _keep(tenant_id: UUID, row: tuple[Any, ...]) -> Definitions:
    version, text = row
    made: dict[str, dict[str, Definition]] = {}
    for resource, name, kind, choices, *marks in orjson.loads(text or "[]") or ():
        listed = tuple(each for each in choices if isinstance(each, str)) if isinstance(choices, list) else ()
        made.setdefault(resource, {})[name] = Definition(resource, name, Kind(kind), listed, *marks)
    found = Definitions(version, made)
    with _lock:
        _kept[tenant_id] = found
        while len(_kept) > REMEMBERED:
            _kept.popitem(last=False)
    return found
