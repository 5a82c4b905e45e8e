"""What admins are told of an exit."""

from datetime import datetime

from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.letters import Letter, minute

CANCEL = (
    "An admin can cancel it at any time until the end: DELETE /api/v1/closing. It costs nothing either way."
)
ASKED = """Somebody asked that your workspace be closed.

Until {transition} everything goes on as before.
Until {retrieval} everything can be read and exported, and nothing changed.
After that it is destroyed. You get a last notice before.

{cancel}
"""
RETRIEVAL = """From now on nothing is changed in your workspace.

Until {retrieval} everything in it can be read and exported, as often as you like.

{cancel}
"""
FINAL = """On {end}, and not before, your workspace is destroyed with everything in it. Nobody can bring it back then.

Export what you want to keep.

{cancel}
"""
CANCELLED = """Your workspace is not closed. That was asked for at {asked}, and cancelled at {at}.

Nothing was destroyed. It is what it was before it was to be closed: suspended if it was suspended.
"""


def asked(closing: Closing) -> Letter:
    """It begins."""
    dates = {"transition": minute(closing.transition_until), "retrieval": minute(closing.retrieval_until)}
    return "Your workspace is to be closed", ASKED.format(**dates, cancel=CANCEL)


def retrieval(closing: Closing) -> Letter:
    """Nothing is changed any more."""
    text = RETRIEVAL.format(retrieval=minute(closing.retrieval_until), cancel=CANCEL)
    return "Your workspace can be read and exported until it is closed", text


def final(closing: Closing, at: datetime) -> Letter:
    """The last notice, which is given at this moment."""
    text = FINAL.format(end=minute(closing.end_after_notice(at)), cancel=CANCEL)
    return "Last notice: your workspace is about to be destroyed", text


def cancelled(closing: Closing, at: datetime) -> Letter:
    """Somebody went back on it, at this moment."""
    text = CANCELLED.format(asked=minute(closing.asked_at), at=minute(at))
    return "Your workspace is not closed after all", text
