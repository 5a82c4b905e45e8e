"""Guesses from the names of columns which fields they are meant for."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from tenants.custom_fields.models import PREFIX

SYNONYMS: dict[str, tuple[str, ...]] = {
    "email": ("e mail", "mail", "email address", "e mail address", "work email", "primary email"),
    "first_name": ("given name", "forename", "first", "vorname", "prenom"),
    "last_name": ("surname", "family name", "last", "nachname", "nom"),
    "job_title": ("title", "position", "role", "job"),
    "phone": ("telephone", "phone number", "work phone", "business phone", "tel"),
    "mobile": ("mobile phone", "cell", "cell phone", "mobile number"),
    "company.name": ("account", "account name", "company", "company name", "organisation", "organization", "employer"),
    "parent.name": ("parent", "parent company", "parent account", "subsidiary of"),
    "owner.name": ("owner", "sales agent", "agent", "sales rep", "salesperson", "account owner",
                   "contact owner", "deal owner"),
    "owner.email": ("owner e mail",),
    "product.name": ("product",),
    "stage.name": ("stage", "deal stage"),
    "name": ("account", "account name", "company", "company name", "organisation", "organization", "product",
             "product name", "sales agent", "agent", "user", "user name", "full name", "team", "title", "deal name"),
    "sector": ("industry", "branch"),
    "founded": ("year established", "year founded", "founded in", "established"),
    "employees": ("number of employees", "staff", "headcount", "size"),
    "revenue": ("annual revenue", "turnover"),
    "domain": ("website", "web site", "url", "web"),
    "website": ("web site", "url", "web", "homepage"),
    "postal_code": ("zip", "zip code", "postcode", "post code", "plz"),
    "city": ("town", "ort"),
    "region": ("state", "province", "county", "state province"),
    "street": ("address", "street address", "address 1"),
    "country": ("country code",),
    "birthday": ("date of birth", "birth date", "born"),
    "vat_number": ("vat", "vat id", "vat no", "tax id"),
    "price": ("sales price", "list price", "unit price"),
    "series": ("product series", "product line", "family"),
    "office": ("regional office", "location", "office location"),
    "team.manager": ("manager", "manager name", "supervisor"),
    "manager.name": ("manager", "lead"),
    "reference": ("opportunity id", "deal id", "opportunity", "number", "external id"),
    "amount": ("close value", "value", "deal value", "deal amount"),
    "opened_on": ("engage date", "open date", "opened", "start date"),
    "closed_on": ("close date", "closed", "closing date"),
    "outcome": ("result",),
    "notes": ("note", "comment", "comments", "description", "remarks"),
    "tags": ("tag", "labels", "categories", "keywords"),
}  # fmt: skip


def guessed(header: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """The columns whose meaning is clear, each with its field. A field is given to one column only."""
    names = list(known)
    clear = {_plain(name): name for name in names}
    meant = {word: name for name in reversed(names) for word in SYNONYMS.get(name, ())}
    found: dict[str, str] = {}
    for words in (clear, _bare(names), meant):
        _assign(found, header, words)
    return found


def _assign(found: dict[str, str], header: Iterable[str], words: Mapping[str, str]) -> None:
    for column in header:
        name = words.get(_plain(column))
        if name is not None and column not in found and name not in found.values():
            found[column] = name


def _bare(names: list[str]) -> dict[str, str]:
    """`Company` means `company.name`, `Colour` the tenant's own `custom.colour`, where nothing else is called that."""
    own = {_plain(name.removeprefix(PREFIX)): name for name in names if name.startswith(PREFIX)}
    return own | {_plain(name.removesuffix(".name")): name for name in names if name.endswith(".name")}


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare)
    return re.sub(r"[^a-z0-9]+", " ", parted.lower()).strip()
