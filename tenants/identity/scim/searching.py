"""Filters, sorts and pages of a directory's questions (RFC 7644, section 3.4.2).

What names one user or group is looked up by the database. Anything else is compared, record by record, as the library
reads the standard; a tenant with more records than that is good for has to ask more precisely.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from scim2_models import Resource, SearchRequest, TooManyException
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator
from scim2_server.storage import SearchPage
from sqlalchemy import ColumnElement, Select, false, func, or_, select

from tenants.identity.models import Team, User
from tenants.identity.scim.describing import described_teams, described_users, teams, users
from tenants.identity.single_sign_on.models import ExternalIdentity
from tenants.isolation.door import db

MOST_COMPARED = 5000


@dataclass(frozen=True, slots=True)
class Kind:
    """Users or groups: how they are asked for, described, and looked up by name."""

    query: Callable[[], Select[Any]]
    described: Callable[[Any], list[Any]]
    model: Any
    names: dict[str, Callable[[str], ColumnElement[bool]]]


def _has_id(model: type[User | Team]) -> Callable[[str], ColumnElement[bool]]:
    def condition(value: str) -> ColumnElement[bool]:
        try:
            return model.id == UUID(value)
        except ValueError:
            return false()

    return condition


def _has_external_id(value: str) -> ColumnElement[bool]:
    said: ColumnElement[str] = ExternalIdentity.attributes["externalId"].astext
    return said == value


KINDS = {
    "User": Kind(
        users,
        described_users,
        User,
        {
            "id": _has_id(User),
            "externalid": _has_external_id,
            "username": lambda value: or_(
                func.lower(User.email) == value.lower(), func.lower(ExternalIdentity.subject) == value.lower()
            ),
        },
    ),
    "Group": Kind(
        teams,
        described_teams,
        Team,
        {
            "id": _has_id(Team),
            "externalid": _has_external_id,
            "displayname": lambda value: func.lower(Team.name) == value.lower(),
        },
    ),
}


def found(kind: Kind, resource_id: str, *, lock: bool = False) -> Any:
    """The row with this id, or None."""
    query = kind.query().where(kind.names["id"](resource_id))
    return db().execute(query.with_for_update(of=kind.model) if lock else query).one_or_none()


def searched(kinds: list[Kind], asked: SearchRequest[Any]) -> SearchPage:
    """One page of what a request asks for, and how many there are."""
    if len(kinds) == 1 and asked.filter is None and asked.sort_by is None:
        return _plain_page(kinds[0], asked)
    matching = [each for kind in kinds for each in _candidates(kind, asked) if _matches(each, asked)]
    if asked.sort_by is not None:
        matching = asked.sort(matching)
    start = asked.start_index_0 or 0
    return SearchPage(len(matching), matching[start : start + (asked.count or 0)])


def _plain_page(kind: Kind, asked: SearchRequest[Any]) -> SearchPage:
    query = kind.query()
    total = db().scalar(select(func.count()).select_from(query.with_only_columns(kind.model.id).subquery()))
    page = query.order_by(kind.model.id).offset(asked.start_index_0 or 0).limit(asked.count)
    rows = db().execute(page).all() if asked.count else []
    return SearchPage(total, kind.described(rows))


def _candidates(kind: Kind, asked: SearchRequest[Any]) -> list[Resource[Any]]:
    query = kind.query().order_by(kind.model.id).limit(MOST_COMPARED + 1)
    if asked.filter is not None:
        query = query.where(*_conditions(kind, asked.filter.ast))
    rows = db().execute(query).all()
    if len(rows) > MOST_COMPARED:
        raise TooManyException(detail="Ask for a userName, an externalId or an id.")
    return kind.described(rows)


def _conditions(kind: Kind, node: FilterNode) -> Iterator[ColumnElement[bool]]:
    """What the database can look up of a filter; whatever it finds is compared with the whole filter afterwards."""
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        for each in node.terms:
            yield from _conditions(kind, each)
    elif isinstance(node, Comparison) and node.op is CompareOperator.eq and isinstance(node.value, str):
        lookup = kind.names.get(node.attr_path.attr.lower())
        if lookup is not None and node.attr_path.sub_attr is None:
            yield lookup(node.value)


def _matches(each: Resource[Any], asked: SearchRequest[Any]) -> bool:
    return asked.filter is None or asked.filter.match(each)
