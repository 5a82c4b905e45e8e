"""Which pipeline is the default, and what a new tenant begins with."""

from crm.sales.models import Pipeline, Stage
from crm.sales.queries import default_pipelines
from tenants.access.policy import remove, save
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db
from tenants.provisioning.birth import seed

FIRST_STAGES = (("Prospecting", 10), ("Engaging", 30), ("Proposal", 60), ("Negotiation", 80))


@seed
def plant_pipeline() -> None:
    """Every tenant begins with one pipeline that deals can go through at once."""
    pipeline = save(Pipeline(name="Sales", is_default=True))
    for position, (name, probability) in enumerate(FIRST_STAGES, start=1):
        save(Stage(pipeline_id=pipeline.id, name=name, position=position, probability=probability))


def make_default(pipeline: Pipeline) -> None:
    """Make this the default instead of the one that was."""
    for other in db().scalars(default_pipelines().with_for_update()):
        if other is not pipeline:
            other.is_default = False
    db().flush()  # the unique index on the default is checked row by row: the old one steps back first
    pipeline.is_default = True
    db().flush()


def keep_a_default(pipeline: Pipeline) -> None:
    """Raises Conflict when this is the default: there has to be one."""
    if pipeline.is_default:
        raise Conflict(
            "This is the default pipeline. Make another one the default first.", code="default_pipeline"
        )


def remove_pipeline(pipeline: Pipeline) -> None:
    """Delete a pipeline with its stages. Raises Conflict for the default; deals on it keep it there."""
    keep_a_default(pipeline)
    for stage in db().query(Stage).filter_by(pipeline_id=pipeline.id):
        remove(stage)
    remove(pipeline)
