"""The register of permissions: features declare what a caller may be allowed, roles and routes name it."""

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """How far a permission goes: one's own records, those of one's teams, of the teams below them too, or all."""

    OWN = "own"
    TEAM = "team"
    SUBTEAMS = "subteams"
    ALL = "all"

    def __or__(self, other: "Reach") -> "Reach":
        """The wider of the two: several roles of one user merge to the best of each."""
        order = list(Reach)
        return max(self, other, key=order.index)


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a caller may be allowed, `resource:action`, with a sentence for people.

    `people_only`: programs may not, whatever their user may. `step_up`: people confirm who they are first, unless
    they just did. `own_affair`: whoever is signed in may, without any role. `always`: also in a tenant that is suspended
    or closing, where nothing else is changed.
    """

    name: str
    text: str
    public: bool = False
    own_affair: bool = False
    people_only: bool = False
    step_up: bool = False
    always: bool = False

    @property
    def resource(self) -> str:
        return self.name.partition(":")[0]

    @property
    def reading(self) -> str:
        """The permission to read the same resource, which decides between 404 and 403."""
        return f"{self.resource}:read"


_register: dict[str, Permission] = {}


def permission(
    name: str, text: str, *, people_only: bool = False, step_up: bool = False, always: bool = False
) -> Permission:
    """Declare a permission; a ValueError when two features claim the same name."""
    if name in _register:
        message = f"The permission '{name}' is declared twice."
        raise ValueError(message)
    return _register.setdefault(
        name, Permission(name, text, people_only=people_only, step_up=step_up, always=always)
    )


def registered() -> dict[str, Permission]:
    """Every declared permission by name, in order of the names."""
    return dict(sorted(_register.items()))


ANYONE = Permission("anyone", "Anybody, signed in or not", public=True)
SIGNED_IN = Permission("signed_in", "Whoever is signed in, about themselves", own_affair=True)
IN_PERSON = Permission(
    "in_person", "Whoever signed in themselves, no program", own_affair=True, people_only=True
)
CONFIRMED = Permission(
    "confirmed",
    "Whoever signed in themselves and just confirmed who they are",
    own_affair=True,
    people_only=True,
    step_up=True,
)
ASSIGN = permission("records:assign", "Give records to another owner or team")
SHARE = permission("records:share", "Share single records with users and teams")
