"""Which cells there are, and in which region each of them is; what is marked for a region never leaves it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tenants.foundation.errors import Conflict, Invalid

MAIN = "main"


@dataclass(frozen=True)
class Regions:
    """The region of each cell; None where whoever runs the program named none."""

    of: Mapping[str, str | None]

    @property
    def names(self) -> list[str]:
        """Every region there is."""
        return sorted({region for region in self.of.values() if region})

    def cells_of(self, region: str | None) -> list[str]:
        """The cells that a tenant of this region may live in; without a region, the first of all.

        Raises Invalid for a region that there is none of, and names those there are.
        """
        if region is None:
            return [MAIN]
        if found := sorted(cell for cell, its in self.of.items() if its == region):
            return found
        there = f"Choose one of: {', '.join(self.names)}." if self.names else "There are none here."
        raise Invalid(f"There is no region '{region}'. {there}", errors={"region": [there]})

    def must_be_a_cell(self, cell: str) -> None:
        """Raises Invalid, which names the cells there are."""
        if cell not in self.of:
            there = f"Choose one of: {', '.join(sorted(self.of))}."
            raise Invalid(f"There is no cell '{cell}'. {there}", errors={"cell": [there]})

    def must_stay(self, region: str | None, cell: str) -> None:
        """Raises Conflict when a tenant of this region may not live in this cell."""
        self.must_be_a_cell(cell)
        if region is not None and self.of[cell] != region:
            raise Conflict(
                f"This tenant is of the region '{region}' and never leaves it; the cell '{cell}' is in"
                f" {self.of[cell] or 'none'}.",
                code="region_bound",
            )
