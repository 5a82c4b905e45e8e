"""What is asked of every side, and how a question becomes the bytes of a request."""

import json
import random
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from bench.data import COUNTRIES, LAST_NAMES, TITLES, World

PAGE = 50
HITS = 20
QUESTIONS = 200
"""How many different pages, records or words a case asks for."""
NEW_RECORDS = 20
"""New records for each question: more in all than a side creates in one sample."""


class Case(StrEnum):
    LIST = "list"
    GET = "get"
    SEARCH = "search"
    CREATE = "create"

    @property
    def description(self) -> str:
        return {
            Case.LIST: "list 50 contacts, filtered, owner and company embedded",
            Case.GET: "get one contact",
            Case.SEARCH: "search contacts by words, 20 hits",
            Case.CREATE: "create a contact with its audit row",
        }[self]


def request_bytes(
    method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> bytes:
    content = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def searched_words(count: int) -> list[str]:
    """Beginnings of names: each is that of some sixty contacts in 100,000."""
    random_source = random.Random("words")
    return [f"last{random_source.randrange(LAST_NAMES // 10, LAST_NAMES)}" for _ in range(count)]


def sampled_contacts(world: World, count: int) -> list[str]:
    ids = [str(each["id"]) for each in world.contacts()]
    return random.Random("ids").sample(ids, min(count, len(ids)))


def new_contacts(world: World, count: int) -> Iterator[dict[str, Any]]:
    """Bodies of contacts that are not there yet."""
    random_source = random.SystemRandom()
    run = random_source.randrange(1 << 40)
    for number in range(count):
        yield {
            "first_name": "Ann",
            "last_name": f"Newcomer {number}",
            "email": f"ann.{run:x}.{number}@example.com",
            "phone": "+49 30 12345",
            "job_title": random_source.choice(TITLES),
            "lifecycle": "lead",
            "street": "Hauptstraße 1",
            "city": "Berlin",
            "country": random_source.choice(COUNTRIES),
            "birthday": "1980-02-03",
            "website": "https://www.example.com/people/ann",
            "tags": ["tag1", "segment-2"],
            "notes": f"Contract N-{number}",
            "owner_id": str(random_source.choice(world.users)["id"]),
            "company_id": str(random_source.choice(world.companies)["id"]),
        }
