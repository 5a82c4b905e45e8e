"""What workers do about users: hand over what one owned, as whoever deactivated them, and remind of reviews."""

from typing import Any
from uuid import UUID

from tenants.foundation.tables import Purpose
from tenants.identity.people.handing_over import AT_ONCE, hand_over_some, name_of, owned_records
from tenants.identity.people.reviewing import ask_for_review
from tenants.jobs.progress import progress, step
from tenants.jobs.registry import job


@job("users.hand_over", purpose=Purpose.ACCOUNT, heavy=True, steps=True)
def hand_over(user_id: UUID, heir_id: UUID, records: int) -> dict[str, Any]:
    """Give all records of one user to another, a set at a time. A second attempt goes on with what is left."""
    moved: dict[str, int] = {}
    for model in owned_records():
        while True:
            with step():
                some = hand_over_some(model, user_id, heir_id)
            if some:
                moved[name_of(model)] = moved.get(name_of(model), 0) + some
            done = sum(moved.values())
            progress(done, max(records, done), name_of(model))
            if some < AT_ONCE:
                break
    return {"records": moved}


@job("users.remind_of_review", purpose=Purpose.SECURITY, every="29 6 * * *")
def remind_of_review() -> None:
    """Remind the admins when nobody has looked through the users for as long as was said."""
    ask_for_review()
