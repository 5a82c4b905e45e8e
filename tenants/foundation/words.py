"""The words of a record: which columns they come from, and the SQL that makes them comparable."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

#: Addresses fall apart at their punctuation.
APART = "'@.-_/', '     '"


@dataclass(frozen=True)
class Words:
    """The columns that a search looks into. Mark the indexed column with `column(info={"words": Words(…)})`."""

    columns: tuple[str, ...]

    @property
    def expression(self) -> str:
        """The words of all columns, as the database keeps them in a generated column."""
        return f"to_tsvector('simple'::regconfig, translate({_joined(self.columns)}, {APART}))"

    def without(self, table: Any, closed: Iterable[str]) -> ColumnElement[Any]:
        """The words of the other columns of a table or alias, worked out when they are asked for."""
        open_ones: list[ColumnElement[Any]] = [literal_column("''")]
        open_ones += [
            func.coalesce(table.c[each], literal_column("''")) for each in self.columns if each not in closed
        ]
        joined = func.concat_ws(literal_column("' '"), *open_ones)
        parts = func.translate(joined, literal_column("'@.-_/'"), literal_column("'     '"))
        return func.to_tsvector(literal_column("'simple'::regconfig"), parts)


def _joined(columns: Iterable[str]) -> str:
    return " || ' ' || ".join(f"coalesce({name}, '')" for name in columns)
