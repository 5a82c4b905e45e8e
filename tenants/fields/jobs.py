"""What goes with a field that is deleted, however many values there are."""

from uuid import UUID

from tenants.fields.removing import remove_field
from tenants.foundation.tables import Purpose
from tenants.jobs.registry import job


@job("fields.remove", purpose=Purpose.OPERATION, attempts=20, steps=True)
def remove(field_id: UUID) -> None:
    """Take a field's values out of all records, then forget the field."""
    remove_field(field_id)
