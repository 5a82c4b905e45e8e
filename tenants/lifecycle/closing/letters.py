"""What admins are told of an exit, each letter a subject and a text."""

from datetime import datetime, timedelta

from tenants.lifecycle.closing.models import Closing
from tenants.lifecycle.closing.periods import periods

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


def asked(closing: Closing) -> tuple[str, str]:
    """It begins."""
    dates = {"transition": _day(closing.transition_until), "retrieval": _day(closing.retrieval_until)}
    return "Your workspace is to be closed", ASKED.format(**dates, cancel=CANCEL)


def retrieval(closing: Closing) -> tuple[str, str]:
    """Nothing is changed any more."""
    text = RETRIEVAL.format(retrieval=_day(closing.retrieval_until), cancel=CANCEL)
    return "Your workspace can be read and exported until it is closed", text


def final(closing: Closing, at: datetime) -> tuple[str, str]:
    """The last notice."""
    end = max(closing.retrieval_until, at + timedelta(days=periods()["final_notice"].days))
    text = FINAL.format(end=_day(end), cancel=CANCEL)
    return "Last notice: your workspace is about to be destroyed", text


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
