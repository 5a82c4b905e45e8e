"""Which pipelines and stages are meant when somebody does not say."""

from uuid import UUID

from sqlalchemy import Select, func, select

from crm.sales.models import Pipeline, Stage


def default_pipelines() -> Select[Pipeline]:
    """The pipeline where deals begin: one row at most."""
    return select(Pipeline).where(Pipeline.is_default)


def stages_in_order(pipeline_id: UUID) -> Select[Stage]:
    """The stages of a pipeline, first to last."""
    return select(Stage).where(Stage.pipeline_id == pipeline_id).order_by(Stage.position, Stage.id)


def last_position(pipeline_id: UUID) -> Select[int]:
    """The position of a pipeline's last stage; null when it has none."""
    return select(func.max(Stage.position)).where(Stage.pipeline_id == pipeline_id)
