"""Exports that are made again and again, over HTTP."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.selection import Selection
from tenants.portability.models import ExportSchedule
from tenants.portability.permissions import CREATE_SCHEDULES, DELETE_SCHEDULES, EDIT_SCHEDULES, READ_SCHEDULES
from tenants.portability.repeating import begin_schedule, change_schedule, end_schedule
from tenants.portability.schemas import EXPORT_SCHEDULES, ExportScheduleBody, ExportScheduleChangeBody

export_schedules = Blueprint(
    "export-schedules", __name__, url_prefix="/export-schedules", purpose=Purpose.PORTABILITY
)


@export_schedules.page("", EXPORT_SCHEDULES, may=READ_SCHEDULES)
def list_export_schedules() -> Selection:
    """Exports that are made again and again."""
    return Selection(EXPORT_SCHEDULES)


@export_schedules.one("/<uuid:schedule_id>", EXPORT_SCHEDULES, may=READ_SCHEDULES)
def get_export_schedule(schedule_id: UUID) -> Selection:
    """One schedule: when it is due next, and when it last succeeded. Its copies are exports with its id."""
    return Selection(EXPORT_SCHEDULES, {"id": schedule_id}, single=True)


@export_schedules.post("", may=CREATE_SCHEDULES)
@export_schedules.takes(ExportScheduleBody())
@export_schedules.answers(201, EXPORT_SCHEDULES)
def create_export_schedule(said: dict[str, Any]) -> ExportSchedule:
    """Have exports made again and again, with us or in your own bucket, which is tried at once."""
    return begin_schedule(said)


@export_schedules.patch("/<uuid:schedule_id>", may=EDIT_SCHEDULES)
@export_schedules.takes(ExportScheduleChangeBody())
@export_schedules.answers(200, EXPORT_SCHEDULES)
def change_export_schedule(said: dict[str, Any], schedule_id: UUID) -> ExportSchedule:
    """Change when it is made, how many copies are kept, or the keys."""
    return change_schedule(find(ExportSchedule, schedule_id, lock=True), said)


@export_schedules.delete("/<uuid:schedule_id>", may=DELETE_SCHEDULES)
@export_schedules.response(204)
def end_export_schedule(schedule_id: UUID) -> None:
    """Make no further copies. Those in your bucket stay there."""
    days = the_house().settings.export_days
    end_schedule(find(ExportSchedule, schedule_id, lock=True), days)
