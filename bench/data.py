"""The people of a benchmark: the same users, companies and contacts for every side, from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

Row = dict[str, Any]

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)
STAGES = ("lead", "lead", "qualified", "subscriber", "customer")
TITLES = ("CEO", "CTO", "Head of Sales", "Account Manager", "Engineer", "Buyer", "Marketer", "Clerk")
DEPARTMENTS = ("Sales", "IT", "Purchasing", "Marketing", "Operations")
COUNTRIES = ("DE", "FR", "US", "GB", "NL")
SECTORS = ("software", "retail", "health", "finance", "energy")
FIRST_NAMES, LAST_NAMES = 400, 2000


@dataclass(frozen=True)
class Size:
    contacts: int
    companies: int
    users: int


LARGE = Size(contacts=100_000, companies=5_000, users=50)
SMALL = Size(contacts=2_000, companies=100, users=10)
HUGE = Size(contacts=500_000, companies=5_000, users=50)


class World:
    """One tenant's records. Two worlds of one size and seed are equal."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self._seed = seed

    @cached_property
    def users(self) -> list[Row]:
        random_source = random.Random(f"users {self._seed}")
        return [
            {"id": identifier(FIRST_DAY, random_source), "name": f"User {n}", "email": f"user{n}@example.com"}
            for n in range(self.size.users)
        ]

    @cached_property
    def companies(self) -> list[Row]:
        random_source = random.Random(f"companies {self._seed}")
        return [self._company(number, random_source) for number in range(self.size.companies)]

    def contacts(self) -> Iterator[Row]:
        random_source = random.Random(f"contacts {self._seed}")
        for number in range(self.size.contacts):
            moment = FIRST_DAY + SPAN * (number / self.size.contacts)
            yield self._contact(number, moment, random_source)

    def _company(self, number: int, random_source: random.Random) -> Row:
        return {
            "id": identifier(FIRST_DAY, random_source),
            "name": f"Company {number} GmbH",
            "domain": f"company{number}.example.com",
            "sector": random_source.choice(SECTORS),
            **_address(random_source),
            "employees": random_source.randrange(1, 5_000),
            "founded": random_source.randrange(1900, 2025),
            "owner_id": random_source.choice(self.users)["id"],
            **_record(FIRST_DAY, random_source),
        }

    def _contact(self, number: int, moment: datetime, random_source: random.Random) -> Row:
        pick = random_source.choice
        first = f"First{random_source.randrange(FIRST_NAMES)}"
        last = f"Last{random_source.randrange(LAST_NAMES)}"
        return {
            "id": identifier(moment, random_source),
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}.{number}@example{number % 977}.com".lower(),
            "phone": f"+49 30 {1_000_000 + number}",
            "mobile": f"+49 171 {2_000_000 + number}",
            "job_title": pick(TITLES),
            "department": pick(DEPARTMENTS),
            "lifecycle": pick(STAGES),
            **_address(random_source),
            "birthday": date(1950, 1, 1) + timedelta(days=random_source.randrange(20_000)),
            "website": f"https://www.example{number % 977}.com/people/{number}",
            "do_not_contact": random_source.random() < 0.05,
            "tags": [f"tag{random_source.randrange(20)}", f"segment-{random_source.randrange(7)}"],
            "notes": f"Contract C-{number}, prefers {pick(('German', 'English', 'French'))}.",
            "owner_id": pick(self.users)["id"],
            "company_id": pick(self.companies)["id"],
            **_record(moment, random_source),
        }


def _address(random_source: random.Random) -> Row:
    return {
        "street": f"Hauptstraße {random_source.randrange(200)}",
        "city": f"City{random_source.randrange(300)}",
        "region": f"Region {random_source.randrange(16)}",
        "postal_code": f"{random_source.randrange(99_999):05}",
        "country": random_source.choice(COUNTRIES),
    }


def _record(moment: datetime, random_source: random.Random) -> Row:
    changed = moment + timedelta(seconds=random_source.randrange(86_400))
    return {"created_at": moment, "updated_at": changed, "version": 1, "source": "import"}


def identifier(moment: datetime, random_source: random.Random) -> UUID:
    """A UUIDv7 of that moment."""
    milliseconds = int(moment.timestamp() * 1000)
    upper, lower = random_source.getrandbits(12), random_source.getrandbits(62)
    return UUID(int=milliseconds << 80 | 7 << 76 | upper << 64 | 2 << 62 | lower)
