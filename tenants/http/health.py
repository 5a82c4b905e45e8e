"""Whether this process lives, and whether it can serve."""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask, Response, jsonify

from tenants.http.course import House
from tenants.isolation.outages import ask_redis, outage


def register(app: Flask, house: House) -> None:
    """Serve /health/live and /health/ready; the latter is 503 and names what is missing."""

    def live() -> Response:
        return jsonify(status="alive")

    def ready() -> tuple[Response, int]:
        checks = {"catalog": _works(lambda: _ask_catalog(house)), "redis": _works(lambda: _ask_redis(house))}
        # What was erased since a backup is gone again before anybody is served from it.
        checks["restored"] = checks["catalog"] and not house.catalog.is_being_restored()
        well = all(checks.values())
        return jsonify(status="ready" if well else "not ready", checks=checks), 200 if well else 503

    app.add_url_rule("/health/live", "live", live)
    app.add_url_rule("/health/ready", "ready", ready)


def _works(check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:
        if outage(error) is None:
            raise
        return False
    return True


def _ask_catalog(house: House) -> None:
    with house.catalog.transaction() as session:
        session.execute(sa.text("select 1"))


def _ask_redis(house: House) -> None:
    ask_redis(house.settings.redis_url)
