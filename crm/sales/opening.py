"""How a deal begins: its name, its stage, and the first line of its history."""

from typing import Any
from uuid import UUID

from crm.sales.models import Deal, Stage, StageChange
from crm.sales.permissions import CREATE_DEALS
from crm.sales.queries import default_pipelines, stages_in_order
from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.isolation.door import db


def open_deal(fields: dict[str, Any]) -> Deal:
    """A new deal on its first stage, from today on, unless `fields` say otherwise.

    Without a name it is called by its reference. Raises Invalid when it has neither, or as `place_of`.
    """
    stage = place_of(fields.pop("pipeline_id", None), fields.pop("stage_id", None))
    name = fields.pop("name", None) or fields.get("reference")
    if not name:
        raise Invalid(errors={"name": ["Give the deal a name or a reference."]})
    dated = {"opened_on": now().date(), **fields}
    deal = save(Deal(name=name, pipeline_id=stage.pipeline_id, stage_id=stage.id, **dated), may=CREATE_DEALS)
    db().add(StageChange.between(deal, None, stage, acting().caller.user_id))
    db().flush()
    return deal


def place_of(pipeline_id: UUID | None, stage_id: UUID | None) -> Stage:
    """The stage that is named, or the first of the pipeline that is named, or the first of the default one.

    Raises Invalid for one that isn't there or is of another pipeline, Conflict when the default has none.
    """
    if stage_id is not None:
        stage = stage_at(stage_id)
        if pipeline_id not in (None, stage.pipeline_id):
            raise Invalid(errors={"stage_id": ["This stage belongs to another pipeline."]})
        return stage
    if pipeline_id is None:
        return _first_of_default()
    first = db().scalars(stages_in_order(pipeline_id).limit(1)).one_or_none()
    if first is None:
        raise Invalid(errors={"pipeline_id": ["There is no such pipeline, or it has no stages."]})
    return first


def _first_of_default() -> Stage:
    pipeline = db().scalars(default_pipelines()).one_or_none()
    first = db().scalars(stages_in_order(pipeline.id).limit(1)).one_or_none() if pipeline else None
    if first is None:
        raise Conflict(
            "The default pipeline has no stages yet: add one, or name another stage.", code="no_stage"
        )
    return first


def stage_at(stage_id: UUID) -> Stage:
    """The stage with this id; raises Invalid when there is none."""
    stage = db().get(Stage, stage_id)
    if stage is None:
        raise Invalid(errors={"stage_id": ["There is no such record."]})
    return stage
