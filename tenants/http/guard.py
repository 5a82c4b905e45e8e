"""What the HTTP layer asks of whoever knows the users: a credential's standing, worked out by the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from tenants.access.caller import Caller
from tenants.catalog.registry import Home
from tenants.isolation.reading import Question


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows of itself: its kind (`api_key` or `session`), the tenant it names, the hash of its secret."""

    kind: str
    tenant_id: UUID
    hash: bytes
    csrf: str = ""


class Guard(Protocol):
    """Turns a credential into a question for the tenant's database, and the answer into a caller."""

    cookie: str
    idle: timedelta
    """How long a session may go unused before it is over."""

    def credential(self) -> Credential:
        """The credential of the request at hand; raises NotSignedIn when it shows none that could be one."""

    def question(self, credential: Credential) -> Question:
        """What to ask the database; one row with one text when the credential is good."""

    def caller(self, credential: Credential, answer: Sequence[tuple[Any, ...]]) -> Caller:
        """The caller behind an answer; raises NotSignedIn when there is none."""

    def seen(self, credential: Credential, home: Home) -> None:
        """A request with this credential was answered. It costs the request next to nothing."""
