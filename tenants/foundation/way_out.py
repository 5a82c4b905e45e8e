"""The door out of this process, set up once at start-up."""

from tenants.foundation.outbound import Outbound

_doors: list[Outbound] = []


def use_outbound(door: Outbound) -> None:
    """Say once, at start-up, how requests leave this process."""
    _doors[:] = [door]


def outbound() -> Outbound:
    """The door of this process."""
    return _doors[0]
