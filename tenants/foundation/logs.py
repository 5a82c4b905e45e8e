"""Structured logs: one JSON object a line, with tenant, caller and request on every one, and no personal data."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from tenants.foundation.traces import trace

SECRET_NAMES = ("authorization", "cookie", "password", "token", "secret", "api_key", "email")


def set_up(level: str = "info", form: str = "json") -> None:
    """Decide once, at start-up, how this process logs. `form` is `json` or `console`."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            # A trace belongs into the log and never into an answer.
            structlog.processors.ExceptionRenderer(trace),
            _renderer(form),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer)
        if form == "json"
        else structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)


def _renderer(form: str) -> Any:
    if form == "json":
        return structlog.processors.JSONRenderer(serializer=_line)
    return structlog.dev.ConsoleRenderer()


def _line(event: dict[str, Any], **_options: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A last guard: nobody should log these, and if somebody does, the value stays out."""
    for name in event.keys() & set(SECRET_NAMES):
        event[name] = "[left out]"
    return event
