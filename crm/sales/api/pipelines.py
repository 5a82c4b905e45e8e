"""Pipelines and their stages over HTTP."""

from typing import Any
from uuid import UUID

from crm.sales.models import Pipeline, Stage
from crm.sales.permissions import (
    CREATE_PIPELINES,
    CREATE_STAGES,
    DELETE_PIPELINES,
    DELETE_STAGES,
    EDIT_PIPELINES,
    EDIT_STAGES,
    READ_PIPELINES,
    READ_STAGES,
)
from crm.sales.pipelines import keep_a_default, make_default, remove_pipeline
from crm.sales.queries import last_position
from crm.sales.schemas import PIPELINES, STAGES, PipelineBody, StageBody
from tenants.access.policy import change, find, remove, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db

pipelines = Blueprint("pipelines", __name__, url_prefix="/pipelines", purpose=Purpose.SALES)
stages = Blueprint("stages", __name__, url_prefix="/stages", purpose=Purpose.SALES)


@pipelines.page("", PIPELINES, may=READ_PIPELINES)
def list_pipelines() -> Selection:
    """All pipelines."""
    return Selection(PIPELINES)


@pipelines.one("/<uuid:pipeline_id>", PIPELINES, may=READ_PIPELINES)
def get_pipeline(pipeline_id: UUID) -> Selection:
    """One pipeline."""
    return Selection(PIPELINES, {"id": pipeline_id}, single=True)


@pipelines.post("", may=CREATE_PIPELINES)
@pipelines.takes(PipelineBody())
@pipelines.answers(201, PIPELINES)
def create_pipeline(fields: dict[str, Any]) -> Pipeline:
    """Add a pipeline; as the default, it takes the place of the one that was."""
    pipeline = save(Pipeline(name=fields["name"]))
    if fields.get("is_default"):
        make_default(pipeline)
    return pipeline


@pipelines.patch("/<uuid:pipeline_id>", may=EDIT_PIPELINES)
@pipelines.takes(PipelineBody(partial=True))
@pipelines.answers(200, PIPELINES)
def change_pipeline(fields: dict[str, Any], pipeline_id: UUID) -> Pipeline:
    """Change a pipeline (JSON merge patch, RFC 7396). The default stays one until another takes its place."""
    pipeline = find(Pipeline, pipeline_id)
    default = fields.pop("is_default", None)
    if default is False:
        keep_a_default(pipeline)
    if default:
        make_default(pipeline)
    return change(pipeline, fields)


@pipelines.delete("/<uuid:pipeline_id>", may=DELETE_PIPELINES)
@pipelines.response(204)
def delete_pipeline(pipeline_id: UUID) -> None:
    """Delete a pipeline with its stages, when no deal is in it and it is not the default."""
    remove_pipeline(find(Pipeline, pipeline_id))


@stages.page("", STAGES, may=READ_STAGES)
def list_stages() -> Selection:
    """The stages of all pipelines."""
    return Selection(STAGES)


@stages.one("/<uuid:stage_id>", STAGES, may=READ_STAGES)
def get_stage(stage_id: UUID) -> Selection:
    """One stage."""
    return Selection(STAGES, {"id": stage_id}, single=True)


@stages.post("", may=CREATE_STAGES)
@stages.takes(StageBody())
@stages.answers(201, STAGES)
def create_stage(fields: dict[str, Any]) -> Stage:
    """Add a stage to a pipeline, as its last one unless it says a position."""
    last = db().scalar(last_position(fields["pipeline_id"])) or 0
    return save(Stage(**{"position": last + 1, **fields}))


@stages.patch("/<uuid:stage_id>", may=EDIT_STAGES)
@stages.takes(StageBody(partial=True, exclude=("pipeline_id",)))
@stages.answers(200, STAGES)
def change_stage(fields: dict[str, Any], stage_id: UUID) -> Stage:
    """Change a stage (JSON merge patch, RFC 7396). It stays in its pipeline."""
    return change(find(Stage, stage_id), fields)


@stages.delete("/<uuid:stage_id>", may=DELETE_STAGES)
@stages.response(204)
def delete_stage(stage_id: UUID) -> None:
    """Delete a stage that no deal stands on."""
    remove(find(Stage, stage_id))
