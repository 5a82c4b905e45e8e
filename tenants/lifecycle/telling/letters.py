"""What admins are told of their workspace as a whole."""

from tenants.catalog.models import StateChange
from tenants.lifecycle.archives.models import Archive
from tenants.lifecycle.letters import Letter, minute, second
from tenants.lifecycle.moves.models import WAY_BACK, Move

SUSPENDED = """Since {at} your workspace is suspended.

{reason}

Everything in it can be read and exported, and nothing changed. Work that waits is not lost.
"""
RESUMED = """Your workspace is no longer suspended since {at}: everything goes on, and so does the work that waited.

{reason}
"""
FROZEN = """Since {at} nothing is changed in your workspace: it is being archived.

{reason}

Nothing is lost by that. Everything in it is kept, whole and sealed, and one of its admins wakes it with a link by mail:
POST /api/v1/archives/links asks for one.
"""
THAWED = """Your workspace is back from its archive since {at}, as it was: with the same users, keys and records.

It stood still since {frozen}, and was archived from {kept} on. {reason}
"""
STILL_SUSPENDED = """
It was suspended when it was archived, and is suspended again.
"""
BEGUN = """Your workspace moves from the server {old} to the server {new}.

{reason}

You work on while it is copied. Then nothing can be written while what was written last goes over, most often for a few
seconds: whoever tries gets 503 `tenant_moving` and is told when to try again. You are told when it is over.
"""
MOVED = """Your workspace moved from the server {old} to the server {new}. It lives there since {at}.

{pause} All {rows} rows were compared on both sides.

What was there when it went stays on {old}, unread by anybody, as a way back: until one of us confirms the move, and no
longer than until {until}. Then it is removed, with what you deleted since.

{reason}
"""
STAYED = """Your workspace was to move from the server {old} to the server {new}. That was given up: it stays.

{pause} Nothing is lost.

{reason}
"""
PAUSED = "Nothing could be written for {seconds} seconds, from {paused} to {resumed}."
NO_PAUSE = "It could be written to all the while."


def suspended(change: StateChange) -> Letter:
    """It can be read and exported, not changed."""
    return "Your workspace is suspended", SUSPENDED.format(at=minute(change.at), reason=_why(change.reason))


def resumed(change: StateChange) -> Letter:
    """Everything goes on."""
    return "Your workspace goes on", RESUMED.format(at=minute(change.at), reason=_why(change.reason))


def frozen(archive: Archive) -> Letter:
    """Nothing is changed any more, and soon it is archived."""
    text = FROZEN.format(at=minute(archive.asked_at), reason=_why(archive.reason))
    return "Your workspace is being archived", text


def thawed(archive: Archive, change: StateChange) -> Letter:
    """It is what it was before it was archived."""
    said = {"frozen": minute(archive.asked_at), "kept": minute(archive.kept_at or archive.asked_at)}
    text = THAWED.format(at=minute(change.at), reason=_why(archive.reason), **said)
    still = STILL_SUSPENDED if change.after == "suspended" else ""
    return "Your workspace is back from its archive", text + still


def begun(move: Move, old: str, new: str) -> Letter:
    """It is being copied."""
    text = BEGUN.format(old=old, new=new, reason=_why(move.reason))
    return "Your workspace moves to another server", text


def moved(move: Move, old: str, new: str) -> Letter:
    """It lives elsewhere, and people write there."""
    at = second(move.resumed_at or move.asked_at)
    until = second((move.resumed_at or move.asked_at) + WAY_BACK)
    said = {"pause": _pause(move), "rows": move.rows, "reason": _why(move.reason), "at": at, "until": until}
    return "Your workspace has moved to another server", MOVED.format(old=old, new=new, **said)


def stayed(move: Move, old: str, new: str) -> Letter:
    """It does not move after all."""
    said = {"pause": _pause(move), "reason": _why(move.error or move.reason)}
    return "Your workspace stays on its server", STAYED.format(old=old, new=new, **said)


def _pause(move: Move) -> str:
    if move.paused_at is None or move.resumed_at is None:
        return NO_PAUSE
    ends = {"paused": second(move.paused_at), "resumed": second(move.resumed_at)}
    return PAUSED.format(seconds=move.pause_seconds, **ends)


def _why(reason: str) -> str:
    return f"The reason that was given: {reason}"
