"""What a report is asked, read from its query string."""

from collections.abc import Iterable
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from crm.reports.subjects import MONTH, Dimension, Kind, Measure, Subject
from tenants.access.caller import Caller
from tenants.foundation.errors import Invalid
from tenants.http.closed import fields_closed

OWN_ARGUMENTS = ("measure", "group_by", "month_of")
MOST_DIMENSIONS = 3


@dataclass(frozen=True)
class Asked:
    """A measure of a subject, by dimensions; amounts have their currency among them."""

    subject: Subject
    measure: Measure
    dimensions: tuple[Dimension, ...]
    month_of: str

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.dimensions]


def read_question(subject: Subject, arguments: MultiDict[str, str], caller: Caller) -> Asked:
    """Raises Invalid that names what is wrong; what is closed to the caller is no dimension of theirs."""
    errors: dict[str, list[str]] = {}
    closed = fields_closed(caller, subject.resource.name)
    measure = _word(arguments, "measure", subject.measures, errors)
    month_of = _word(arguments, "month_of", subject.days, errors, subject.days[0])
    if measure and subject.measures[measure].fields & closed:
        errors["measure"] = [f"'{measure}' is not among: {_listed(subject.measures)}."]
    names = [part for text in arguments.getlist("group_by") for part in text.split(",")]
    problem = _dimensions_problem(names, subject, caller, month_of)
    if problem:
        errors["group_by"] = [problem]
    if "month_of" in arguments and MONTH not in names:
        errors.setdefault("month_of", ["This goes with month in group_by."])
    if errors:
        raise Invalid("The report can't be made.", errors=errors)
    chosen = subject.measures[measure]
    currency = ["currency"] if chosen.kind is Kind.MONEY and "currency" not in names else []
    return Asked(subject, chosen, tuple(subject.dimensions[name] for name in names + currency), month_of)


def _dimensions_problem(names: list[str], subject: Subject, caller: Caller, month_of: str) -> str | None:
    closed = fields_closed(caller, subject.resource.name)
    known = {name for name, each in subject.dimensions.items() if not each.fields & closed}
    if month_of in closed:
        known.discard(MONTH)
    if "sector" in fields_closed(caller, "companies"):
        known.discard("sector")
    if unknown := [name for name in names if name not in known]:
        listed = ", ".join(name for name in subject.dimensions if name in known)
        return " ".join(f"'{name}' is not among: {listed}." for name in unknown)
    if not 1 <= len(names) <= MOST_DIMENSIONS or len(set(names)) != len(names):
        return f"One to {MOST_DIMENSIONS} different ones, by comma."
    return None


def _word(
    arguments: MultiDict[str, str],
    name: str,
    words: Iterable[str],
    errors: dict[str, list[str]],
    usual: str = "",
) -> str:
    said = arguments.getlist(name)
    if not said and usual:
        return usual
    if len(said) == 1 and said[0] in words:
        return said[0]
    errors[name] = [f"One of: {_listed(words)}."]
    return ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
