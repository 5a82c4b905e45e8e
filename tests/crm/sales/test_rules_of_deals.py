"""What a deal may become: rules that need no database."""

from datetime import date
from uuid import uuid4

import pytest

from crm.sales.models import Deal, Outcome, Stage
from tenants.foundation.errors import Conflict, Invalid

JANUARY, MARCH = date(2026, 1, 10), date(2026, 3, 1)


def a_deal(**fields: object) -> Deal:
    return Deal(name="Deal", stage_id=uuid4(), pipeline_id=uuid4(), **fields)


def test_a_deal_ends_only_once() -> None:
    deal, somebody = a_deal(), uuid4()
    change = deal.close(Outcome.WON, "Price", MARCH, somebody)
    assert (deal.outcome, deal.closed_on, deal.closed_by_id) == ("won", MARCH, somebody)
    assert (change.deal_id, change.outcome, change.reason, change.by_id) == (
        deal.id,
        "won",
        "Price",
        somebody,
    )
    with pytest.raises(Conflict, match="won already"):
        deal.close(Outcome.LOST, None, MARCH, somebody)
    assert deal.outcome == "won"


def test_a_deal_that_is_reopened_has_no_trace_of_its_outcome_but_in_its_history() -> None:
    deal = a_deal()
    deal.close(Outcome.LOST, "Price", MARCH, uuid4())
    change = deal.reopen(uuid4())
    assert (deal.outcome, deal.outcome_reason, deal.closed_on, deal.closed_by_id) == (None, None, None, None)
    assert change.outcome is None
    with pytest.raises(Conflict, match="open"):
        deal.reopen(uuid4())


def test_a_closed_deal_keeps_its_stage_and_amount() -> None:
    deal, stage = a_deal(currency="EUR"), Stage(pipeline_id=uuid4(), name="Late", position=2)
    deal.close(Outcome.LOST, None, MARCH, None)
    with pytest.raises(Conflict, match="Reopen"):
        deal.move_to(stage, None)
    with pytest.raises(Conflict, match="Reopen"):
        deal.check({"currency": "USD"})
    deal.check({"currency": "EUR", "notes": "Nothing of this matters"})


def test_a_deal_moves_to_another_stage_but_not_to_its_own() -> None:
    deal, stage, somebody = a_deal(), Stage(pipeline_id=uuid4(), name="Late", position=2), uuid4()
    change = deal.move_to(stage, somebody)
    assert change is not None
    assert (change.to_stage, change.from_stage, change.by_id) == ("Late", None, somebody)
    assert (deal.stage_id, deal.pipeline_id) == (stage.id, stage.pipeline_id)
    assert deal.move_to(stage, somebody) is None


def test_a_deal_never_closes_before_it_opened() -> None:
    deal = a_deal(opened_on=MARCH)
    with pytest.raises(Invalid) as refused:
        deal.close(Outcome.WON, None, JANUARY, None)
    assert list(refused.value.errors) == ["closed_on"]
    deal.close(Outcome.WON, None, MARCH, None)
    with pytest.raises(Invalid) as refused:
        deal.check({"opened_on": date(2026, 3, 2)})
    assert list(refused.value.errors) == ["opened_on"]
