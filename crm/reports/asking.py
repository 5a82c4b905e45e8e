"""What a report is asked, read from its query string."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from crm.reports.dimensions import DIMENSIONS, Dimension, MonthOf
from crm.reports.measures import Measure
from tenants.access.caller import Caller
from tenants.foundation.errors import Invalid

OWN_ARGUMENTS = ("measure", "group_by", "month_of")
MOST_DIMENSIONS = 3
W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True)
class Asked:
    """A measure, by dimensions; amounts have their currency among them."""

    measure: Measure
    dimensions: tuple[Dimension, ...]
    month_of: MonthOf

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.dimensions]


def read_question(arguments: MultiDict[str, str], caller: Caller) -> Asked:
    """Raises Invalid that names what is wrong; what is closed to the caller is no dimension of theirs."""
    errors: dict[str, list[str]] = {}
    closed = closed_fields(caller, "deals")
    measure = _word(arguments, "measure", Measure, errors)
    month_of = _word(arguments, "month_of", MonthOf, errors, MonthOf.CLOSED_ON)
    if measure is not None and measure.fields & closed:
        errors["measure"] = [f"'{measure}' is not among: {_listed(Measure)}."]
    names = [part for text in arguments.getlist("group_by") for part in text.split(",")]
    problem = _dimensions_problem(names, caller, closed, month_of)
    if problem:
        errors["group_by"] = [problem]
    if "month_of" in arguments and "month" not in names:
        errors.setdefault("month_of", ["This goes with month in group_by."])
    if errors or measure is None or month_of is None:
        raise Invalid("The report can't be made.", errors=errors)
    currency = ["currency"] if measure is Measure.AMOUNT and "currency" not in names else []
    return Asked(measure, tuple(DIMENSIONS[name] for name in names + currency), month_of)


def closed_fields(caller: Caller, resource: str) -> frozenset[str]:
    """The fields that this caller can't see, or only covered up."""
    return caller.hidden.get(resource, frozenset()) | caller.masked.get(resource, frozenset())


def _dimensions_problem(
    names: list[str], caller: Caller, closed: frozenset[str], month: MonthOf | None
) -> str | None:
    known = {name for name, each in DIMENSIONS.items() if not each.fields & closed}
    if month in closed:
        known.discard("month")
    if "sector" in closed_fields(caller, "companies"):
        known.discard("sector")
    if unknown := [name for name in names if name not in known]:
        listed = ", ".join(name for name in DIMENSIONS if name in known)
        return " ".join(f"'{name}' is not among: {listed}." for name in unknown)
    if not 1 <= len(names) <= MOST_DIMENSIONS or len(set(names)) != len(names):
        return f"One to {MOST_DIMENSIONS} different ones, by comma."
    return None


def _word(
    arguments: MultiDict[str, str],
    name: str,
    words: type[W],
    errors: dict[str, list[str]],
    usual: W | None = None,
) -> W | None:
    said = arguments.getlist(name)
    if not said and usual is not None:
        return usual
    if len(said) == 1 and said[0] in list(words):
        return words(said[0])
    errors[name] = [f"One of: {_listed(words)}."]
    return None


def _listed(words: Iterable[StrEnum]) -> str:
    return ", ".join(words)
