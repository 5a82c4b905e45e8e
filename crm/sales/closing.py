"""A deal moves, ends or begins again, and its history says so."""

from datetime import date

from crm.sales.models import Deal, Outcome, Stage
from crm.sales.opening import place_of
from tenants.access.caller import acting
from tenants.foundation.clock import now
from tenants.isolation.door import db


def close_deal(deal: Deal, result: str, reason: str | None = None, closed_on: date | None = None) -> Deal:
    """End a deal, today unless another day is given. Raises as `Deal.close` does."""
    change = deal.close(Outcome(result), reason, closed_on or now().date(), acting().caller.user_id)
    db().add(change)
    return _written(deal)


def reopen_deal(deal: Deal) -> Deal:
    """Take a deal's outcome back. One that came without a stage begins on the first of its pipeline."""
    # An open deal stands on a stage: it is looked up first, for looking writes down what has changed.
    first = None if deal.stage_id else place_of(deal.pipeline_id, None)
    db().add(deal.reopen(acting().caller.user_id))
    return move_deal(deal, first) if first else _written(deal)


def move_deal(deal: Deal, stage: Stage) -> Deal:
    """Put a deal on a stage. Raises as `Deal.move_to` does."""
    before = db().get(Stage, deal.stage_id) if deal.stage_id else None
    if change := deal.move_to(stage, acting().caller.user_id, before):
        db().add(change)
    return _written(deal)


def _written(deal: Deal) -> Deal:
    db().flush()
    return deal
