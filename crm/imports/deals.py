"""Importing deals: where they stand, how they ended, and the history that both begin with."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func, select

from crm.contacts.models import Company, Contact
from crm.imports.batches import ROWS, Batch
from crm.imports.importable import Importable, Lookup, importable
from crm.imports.models import Action
from crm.products.models import Product
from crm.records.fields import no_nul
from crm.sales.models import Deal, DealChange, Outcome, Pipeline, Stage, StageChange
from crm.sales.permissions import CREATE_DEALS, EDIT_DEALS
from crm.sales.schemas import NewDealBody
from tenants.audit.bulk import FRESH_ID
from tenants.foundation.clock import now
from tenants.isolation.door import db

DEALS: Any = Deal.__table__
PIPELINES: Any = Pipeline.__table__
STAGES: Any = Stage.__table__


def in_default_pipeline(stages: Any) -> ColumnElement[bool]:
    """Stages of several pipelines may have one name: the default pipeline's are meant."""
    default = select(PIPELINES.c.id).where(PIPELINES.c.is_default).scalar_subquery()
    return stages.c.pipeline_id == default


def place_and_name(batch: Batch, values: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """An open deal without a stage begins on the first one; a deal without a name is called by its reference."""
    pipeline = select(PIPELINES.c.id).where(PIPELINES.c.is_default).scalar_subquery()
    ordered = select(STAGES.c.id).order_by(STAGES.c.position, STAGES.c.id).limit(1)
    first = ordered.where(STAGES.c.pipeline_id == pipeline).scalar_subquery()
    outcome = values.get("outcome", sa.cast(sa.null(), sa.Text))
    stage = func.coalesce(values.get("stage_id", sa.null()), sa.case((outcome.is_(None), first)))
    of_stage = (
        select(STAGES.c.pipeline_id).where(STAGES.c.id == stage).correlate_except(STAGES).scalar_subquery()
    )
    made = {
        "stage_id": stage,
        "pipeline_id": func.coalesce(of_stage, values.get("pipeline_id", sa.null()), pipeline),
        "name": func.coalesce(values.get("name", sa.null()), values.get("reference", sa.null())),
        "closed_by_id": sa.case((outcome.is_not(None), sa.cast(batch.caller.user_id, sa.Uuid()))),
    }
    return made if "opened_on" in values else made | {"opened_on": sa.cast(now().date(), sa.Date)}


def rules(values: Mapping[str, Any], table: Any) -> Iterator[tuple[ColumnElement[bool], str]]:
    """What `Deal` itself would refuse."""
    if table is not None:
        changed = sa.or_(
            *(
                values[name].is_distinct_from(table.c[name])
                for name in ("amount", "currency")
                if name in values
            ),
            sa.false(),
        )
        yield (
            sa.and_(table.c.outcome.is_not(None), changed),
            "This deal is closed. Reopen it to change its amount.",
        )
        if "opened_on" in values:
            yield values["opened_on"] > table.c.closed_on, "A deal can't be opened after it closed."
        return
    yield values["name"].is_(None), "Give the deal a name or a reference."
    outcome, closed = values.get("outcome", sa.null()), values.get("closed_on", sa.null())
    yield (
        sa.and_(outcome.is_not(None), closed.is_(None)),
        "A deal that was won or lost needs the day it closed.",
    )
    yield sa.and_(outcome.is_(None), closed.is_not(None)), "A deal that has no outcome can't have closed."
    yield closed < values["opened_on"], "A deal can't close before it was opened."


def begin_history(batch: Batch) -> None:
    """The first lines of the history of new deals: the stage they came to, and how they ended."""
    chosen = DEALS.join(ROWS, ROWS.c.record_id == DEALS.c.id)
    by, moment = (
        sa.cast(batch.caller.user_id, sa.Uuid()),
        sa.cast(sa.literal(now()), sa.DateTime(timezone=True)),
    )
    stages = {
        "id": FRESH_ID,
        "deal_id": DEALS.c.id,
        "at": moment,
        "by_id": by,
        "to_stage_id": STAGES.c.id,
        "to_stage": STAGES.c.name,
    }
    query = select(*stages.values()).select_from(chosen.join(STAGES, STAGES.c.id == DEALS.c.stage_id))
    db().execute(sa.insert(StageChange).from_select(list(stages), query.where(batch.rows(Action.CREATE))))
    ends = {"id": FRESH_ID, "deal_id": DEALS.c.id, "at": moment, "by_id": by, "outcome": DEALS.c.outcome,
            "reason": DEALS.c.outcome_reason, "closed_on": DEALS.c.closed_on}  # fmt: skip
    ended = (
        select(*ends.values())
        .select_from(chosen)
        .where(batch.rows(Action.CREATE), DEALS.c.outcome.is_not(None))
    )
    db().execute(sa.insert(DealChange).from_select(list(ends), ended))


importable(
    Importable(
        "deals", "deal", Deal, NewDealBody(), CREATE_DEALS, EDIT_DEALS,
        lookups={
            "company.name": ("company_id", Lookup(Company, "name", "company")),
            "contact.email": ("contact_id", Lookup(Contact, "email", "contact")),
            "product.name": ("product_id", Lookup(Product, "name", "product")),
            "pipeline.name": ("pipeline_id", Lookup(Pipeline, "name", "pipeline")),
            "stage.name": ("stage_id", Lookup(Stage, "name", "stage", within=in_default_pipeline)),
        },
        more={
            "outcome": ("outcome", fields.Enum(Outcome, by_value=True)),
            "outcome_reason": ("outcome_reason", fields.String(validate=[validate.Length(1, 2000), no_nul])),
            "closed_on": ("closed_on", fields.Date()),
        },
        derived=place_and_name,
        checks=rules,
        once=frozenset({"stage_id", "pipeline_id", "outcome", "outcome_reason", "closed_on"}),
        follow=begin_history,
    )
)  # fmt: skip
