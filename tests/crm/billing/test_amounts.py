"""The arithmetic of documents, without a database."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.billing.amounts import difference, line_net, tax_on, totals_of
from tenants.foundation.errors import Invalid

RATES = st.tuples(
    st.sampled_from([Decimal(each) for each in ("0", "5.5", "7", "8.1", "19", "20", "25")]),
    st.sampled_from(["", "VAT"]),
)
LINES = st.lists(
    st.tuples(
        RATES,
        st.decimals("0.001", "10000", places=3),
        st.decimals("0", "100000", places=2),
        st.decimals("0", "100", places=2),
    ),
    max_size=20,
)


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "net"),
    [
        ("1", "0.01", "50", "0.01"),
        ("3", "33.33", "0", "99.99"),
        ("0.333", "10.00", "0", "3.33"),
        ("0.5", "0.01", "0", "0.01"),
        ("2", "5", "100", "0"),
    ],
)
def test_a_line_is_rounded_to_the_cent_with_halves_away_from_zero(
    quantity: str, price: str, discount: str, net: str
) -> None:
    assert line_net(Decimal(quantity), Decimal(price), Decimal(discount)) == Decimal(net)


def test_tax_is_worked_out_per_rate_on_the_sum_of_its_lines() -> None:
    rate = (Decimal(19), "")
    totals = totals_of([(rate, Decimal("0.05"))] * 3)
    assert tax_on(Decimal("0.05"), Decimal(19)) * 3 == Decimal("0.03")
    assert (totals.net_amount, totals.tax_amount, totals.gross_amount) == (
        Decimal("0.15"),
        Decimal("0.03"),
        Decimal("0.18"),
    )
    assert totals_of([(rate, Decimal("0.03"))] * 3).tax_amount == Decimal("0.02")


@settings(deadline=None)
@given(LINES)
def test_totals_are_the_sum_of_their_parts_to_the_cent(
    lines: list[tuple[tuple[Decimal, str], Decimal, Decimal, Decimal]],
) -> None:
    nets = [(rate, line_net(quantity, price, discount)) for rate, quantity, price, discount in lines]
    totals = totals_of(nets)
    columns = totals.columns("EUR")
    assert columns["net_amount"] == sum(net for _, net in nets)
    assert columns["gross_amount"] == columns["net_amount"] + columns["tax_amount"]
    for name in ("net", "tax"):
        assert sum(Decimal(part[name]["amount"]) for part in columns["taxes"]) == columns[f"{name}_amount"]
    for part in columns["taxes"]:
        exact = Decimal(part["net"]["amount"]) * Decimal(part["tax_rate"]) / 100
        assert abs(Decimal(part["tax"]["amount"]) - exact) <= Decimal("0.005")


@settings(deadline=None)
@given(LINES, st.data())
def test_what_comes_between_two_totals_is_never_negative_and_adds_up(
    lines: list[tuple[tuple[Decimal, str], Decimal, Decimal, Decimal]], data: st.DataObject
) -> None:
    whole = totals_of(
        (rate, line_net(quantity, price, discount)) for rate, quantity, price, discount in lines
    )
    shares = [data.draw(st.decimals("0", "1", places=2)) for _ in lines]
    some = totals_of(
        (rate, line_net(quantity * share, price, discount))
        for (rate, quantity, price, discount), share in zip(lines, shares, strict=True)
    )
    rest = difference(whole, some)
    assert rest.net_amount + some.net_amount == whole.net_amount
    assert rest.tax_amount + some.tax_amount == whole.tax_amount
    assert all(amount >= 0 for amount in (*rest.net.values(), *rest.tax.values()))


def test_a_document_of_more_than_we_can_keep_is_refused() -> None:
    with pytest.raises(Invalid):
        totals_of([((Decimal(0), ""), Decimal("9999999999999999.99"))] * 2)
