"""What befell a tenant and its admins are still to hear of, marked in the catalog's transaction in which it befell it.

Nothing can be written in a tenant that stands still, so what is to be told waits for the first moment at which it can be.
"""

from sqlalchemy.orm import Session

from tenants.catalog.models import State
from tenants.jobs.platform import ask_for_round

ROUND = "lifecycle.tell"
#: The ways that admins hear of by themselves. Exits tell of `closing` and of the way back, moves of the way to another
#: server, and archives mail at once that nothing is changed any more: a notice could only be written when that is over.
TOLD = frozenset(
    {
        (State.ACTIVE, State.SUSPENDED),
        (State.SUSPENDED, State.ACTIVE),
        (State.THAWING, State.ACTIVE),
        (State.THAWING, State.SUSPENDED),
    }
)


def is_told(before: State, after: State) -> bool:
    """Whether a tenant's admins hear that it went this way."""
    return (before, after) in TOLD


def tell_soon(session: Session) -> None:
    """Have what waits told within a second or so after the catalog's transaction at hand."""
    ask_for_round(session, ROUND)
