"""The demo's two tenants, and who signs in to them."""

from dataclasses import dataclass
from decimal import Decimal

PASSWORD = "open house 2026"  # noqa: S105 - printed at every start of the demo


@dataclass(frozen=True)
class Player:
    """Somebody who works there."""

    name: str
    address: str
    role: str
    team: str


@dataclass(frozen=True)
class Stage:
    """A tenant of the demo: `seed` makes its data the same every time."""

    slug: str
    name: str
    seed: int
    currency: str
    companies: int
    contacts: int
    deals: int
    players: tuple[Player, ...]
    goods: tuple[tuple[str, str, Decimal], ...]


STAGES = (
    Stage(
        "harbour",
        "Harbour & Vale Trading",
        7,
        "EUR",
        60,
        240,
        160,
        (
            Player("Ada Sorensen", "ada", "admin", "Head office"),
            Player("Marek Dvorak", "marek", "manager", "North"),
            Player("Sanna Virtanen", "sanna", "sales", "North"),
            Player("Tom Byrne", "tom", "sales", "South"),
            Player("Ruth Alder", "ruth", "read-only", "Head office"),
        ),
        (
            ("Packing line P200", "Machines", Decimal("18500.00")),
            ("Packing line P400", "Machines", Decimal("31900.00")),
            ("Maintenance, yearly", "Care", Decimal("2400.00")),
            ("Training day", "Care", Decimal("950.00")),
            ("Film roll, pallet", "Supplies", Decimal("410.50")),
        ),
    ),
    Stage(
        "nordlicht",
        "Nordlicht Studio",
        11,
        "SEK",
        25,
        90,
        60,
        (
            Player("Nils Berg", "nils", "admin", "Studio"),
            Player("Freja Holm", "freja", "manager", "Studio"),
            Player("Olle Sand", "olle", "sales", "Studio"),
            Player("Gro Lund", "gro", "read-only", "Studio"),
        ),
        (
            ("Brand workshop", "Services", Decimal("42000.00")),
            ("Website, small", "Services", Decimal("96000.00")),
            ("Hosting, yearly", "Running", Decimal("7200.00")),
        ),
    ),
)
