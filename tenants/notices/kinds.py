"""The register of notices: a feature declares what admins are told of, and who of them."""

from dataclasses import dataclass

from tenants.access.permissions import Permission
from tenants.webhooks.events import EventType, event_type


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """What a tenant's people are told of: by mail whoever has the permission `to`, or all admins."""

    event: EventType
    to: Permission | None = None

    @property
    def name(self) -> str:
        return self.event.name


_register: dict[str, NoticeKind] = {}


def notice_kind(name: str, text: str, *, to: Permission | None = None) -> NoticeKind:
    """Declare one. Webhooks know it by the same name. Raises ValueError for a name that is taken."""
    return _register.setdefault(name, NoticeKind(event_type(name, text), to))


def notice_kinds() -> dict[str, NoticeKind]:
    """Every declared kind by name, in order of the names."""
    return dict(sorted(_register.items()))
