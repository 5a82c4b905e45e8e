"""The figures that reports are checked against are themselves those of the files."""

from decimal import Decimal

from tests import maven


def test_the_files_are_whole() -> None:
    counted = {
        name: len(maven.rows(name)) for name in ("accounts", "products", "sales_teams", "sales_pipeline")
    }
    assert counted == {"accounts": 85, "products": 7, "sales_teams": 35, "sales_pipeline": 8800}
    assert len({each.id for each in maven.opportunities()}) == 8800


def test_the_figures_are_those_that_other_means_give() -> None:
    """Counted once by hand with `cut`, `sort`, `uniq` and `awk`."""
    stages = {group[0]: count for group, count in maven.figures("count", "stage").items()}
    assert stages == {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
    assert maven.figures("count", "account")[None,] == 1425
    assert maven.figures("amount", "outcome") == {("won",): Decimal(10005534), ("lost",): Decimal(0)}
    assert maven.figures("win_rate") == {(): "0.6315"}
    assert maven.figures("count", "product")["GTX Pro",] == 1480


def test_what_is_open_has_neither_a_value_nor_a_rate() -> None:
    assert maven.figures("win_rate", only=lambda each: each.stage == "Engaging") == {(): None}
    assert maven.figures("amount", "agent", only=lambda each: each.outcome is None) == {}
    assert maven.figures("count", "open_stage", "outcome")["Prospecting", None] == 500
