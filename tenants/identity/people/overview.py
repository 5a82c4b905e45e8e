"""How well a workspace is protected: what an admin should look at, one statement each, and a score out of it.

The score begins at 100 and loses points by the rules of RULES, in full or by the share of those concerned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL

from tenants.foundation.clock import now
from tenants.identity.holding import has_role
from tenants.identity.models import Role, TenantProfile, User
from tenants.identity.people.models import Invitation
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Authenticator, Password, Session
from tenants.isolation.door import db

SHOWN = 100
OLD = timedelta(days=365)
UNUSED = timedelta(days=90)
SOON = timedelta(days=14)
#: Who may any of these can let themselves do everything else.
ADMIN_RIGHTS = ("roles:assign", "roles:edit", "users:readdress", "invitations:create")

CAN_SIGN_IN = and_(
    User.state == "active",
    or_(
        User.email_verified_at.is_not(None),
        exists().where(Password.user_id == User.id),
        exists().where(Session.user_id == User.id),
    ),
)
HAS_SECOND_FACTOR = exists().where(
    Authenticator.user_id == User.id,
    Authenticator.kind.in_(("totp", "passkey")),
    Authenticator.confirmed_at.is_not(None),
)
ADMINISTERS = Role.permissions.has_any(sa.cast(list(ADMIN_RIGHTS), ARRAY(sa.Text)))
IS_ADMIN = has_role(ADMINISTERS)
#: How old keys may be here; null is no limit.
KEYS_LAST = func.make_interval(
    0, 0, 0, select(TenantProfile.api_key_max_days).scalar_subquery(), type_=INTERVAL
)
KEY_TOO_OLD = func.coalesce(ApiKey.created_at < func.now() - KEYS_LAST, sa.false())
KEY_NOT_OVER = and_(
    ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now())
)
WORKING_KEY = and_(KEY_NOT_OVER, ~KEY_TOO_OLD)


@dataclass(frozen=True)
class Found:
    """Some of those that a question found, and how many there are."""

    count: int
    data: list[dict[str, Any]]


def overview() -> dict[str, Any]:
    """Everything of the page: the score, what it lost and why, and who is concerned."""
    found = {name: _found(ask()) for name, ask in QUESTIONS.items()}
    users = int(db().scalar(select(func.count()).select_from(User).where(CAN_SIGN_IN)) or 0)
    keys = int(db().scalar(select(func.count()).select_from(ApiKey).where(WORKING_KEY)) or 0)
    lost = [
        {"rule": rule.name, "points": points, "text": rule.text}
        for rule in RULES
        if (points := round(rule.most * min(1.0, rule.share(found, users, keys))))
    ]
    score = 100 - sum(each["points"] for each in lost)  # type: ignore[misc]
    return {"score": score, "lost": lost, "users": users, "keys": keys, **found}


def _users(*conditions: ColumnElement[bool]) -> Select[Any]:
    columns: list[Any] = [User.id, User.name, func.count().over().label("count")]
    return select(*columns).where(CAN_SIGN_IN, *conditions).order_by(User.name, User.id)


def _silent(days: int) -> Select[Any]:
    """Who has been here this long and was not seen; sessions are kept for longer than anybody asks here."""
    since = now() - timedelta(days=days)
    seen = exists().where(Session.user_id == User.id, Session.last_seen_at >= since)
    return _users(~seen, User.created_at < since)


def _keys(condition: ColumnElement[bool], among: ColumnElement[bool] = WORKING_KEY) -> Select[Any]:
    columns: list[Any] = [ApiKey.id, ApiKey.name, ApiKey.user_id, ApiKey.expires_at, ApiKey.last_used_at]
    counted = select(*columns, func.count().over().label("count")).where(among, condition)
    return counted.order_by(ApiKey.created_at, ApiKey.id)


def _invitations() -> Select[Any]:
    columns: list[Any] = [Invitation.id, User.name, Invitation.user_id, Invitation.expires_at]
    counted = select(*columns, func.count().over().label("count"))
    return counted.join(User, User.id == Invitation.user_id).where(Invitation.state == "pending").order_by(
        Invitation.expires_at, Invitation.id
    )  # fmt: skip


def _unused(key: Any) -> ColumnElement[bool]:
    return func.coalesce(key.last_used_at, key.created_at) < now() - UNUSED


QUESTIONS: Mapping[str, Callable[[], Select[Any]]] = {
    "without_second_factor": lambda: _users(~HAS_SECOND_FACTOR),
    "silent_30_days": lambda: _silent(30),
    "silent_90_days": lambda: _silent(90),
    "admins": lambda: _users(IS_ADMIN),
    "admins_without_second_factor": lambda: _users(IS_ADMIN, ~HAS_SECOND_FACTOR),
    "keys_old": lambda: _keys(ApiKey.created_at < now() - OLD),
    "keys_unused": lambda: _keys(_unused(ApiKey)),
    "keys_without_end": lambda: _keys(ApiKey.expires_at.is_(None)),
    "keys_expiring": lambda: _keys(
        or_(ApiKey.expires_at < now() + SOON, ApiKey.created_at < now() + SOON - KEYS_LAST)
    ),
    "keys_too_old": lambda: _keys(KEY_TOO_OLD, among=KEY_NOT_OVER),
    "invitations_pending": _invitations,
}


def _found(query: Select[Any]) -> Found:
    rows = [dict(each) for each in db().execute(query.limit(SHOWN)).mappings()]
    count = rows[0]["count"] if rows else 0
    return Found(count, [{name: value for name, value in row.items() if name != "count"} for row in rows])


@dataclass(frozen=True)
class Rule:
    """What costs how many points at most; `share` says how much of that, from 0 to 1."""

    name: str
    most: int
    text: str
    share: Callable[[Mapping[str, Found], int, int], float]


def _of(name: str) -> Callable[[Mapping[str, Found], int, int], float]:
    return lambda found, users, _keys: found[name].count / users if users else 0.0


def _stale(found: Mapping[str, Found], _users: int, keys: int) -> float:
    return max(found["keys_old"].count, found["keys_unused"].count) / keys if keys else 0.0


def _admins(found: Mapping[str, Found], users: int, _keys: int) -> float:
    admins = found["admins"].count
    return float(admins == 1 or admins > max(3, users / 4))


RULES = (
    Rule("second_factor", 40, "Users who sign in without a second factor, by their share.", _of("without_second_factor")),
    Rule(
        "admins_second_factor", 20, "An admin signs in without a second factor.",
        lambda found, _users, _keys: float(found["admins_without_second_factor"].count > 0),
    ),
    Rule("silent_users", 15, "Users who were not seen for 90 days, by their share.", _of("silent_90_days")),
    Rule("stale_keys", 15, "Keys older than a year, or unused for 90 days, by their share.", _stale),
    Rule("admins", 10, "One admin alone, or more than three who are more than a quarter of all users.", _admins),
)  # fmt: skip
