"""The register of events that webhooks can be told of: a feature declares its own, a webhook chooses among them."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NAME = re.compile(r"[a-z][a-z-]*\.[a-z][a-z_]*\Z")


@dataclass(frozen=True, slots=True)
class EventType:
    """What can happen, `thing.happened`, with a sentence for people."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """That it happened: the record that tells more, and its id, which is the event's own wherever it is sent."""

    type: EventType
    id: UUID
    at: datetime
    resource: str


_register: dict[str, EventType] = {}


def event_type(name: str, text: str) -> EventType:
    """Declare one. Raises ValueError for a name that is taken or can't be read."""
    if name in _register or not NAME.match(name):
        raise ValueError(f"The event '{name}' is declared twice, or not called like `thing.happened`.")
    return _register.setdefault(name, EventType(name, text))


def event_types() -> dict[str, EventType]:
    """Every declared type by name, in order of the names."""
    return dict(sorted(_register.items()))


TEST = event_type("webhook.test", "Somebody tries whether a webhook works")


def to_choose_from() -> dict[str, EventType]:
    """What a webhook can ask for; a trial is sent to the one that is tried, whatever it asked for."""
    return {name: each for name, each in event_types().items() if each is not TEST}
