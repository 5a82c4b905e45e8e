"""The states of a tenant: what each permits, who may move a tenant from one to another, and how it is said."""

from dataclasses import dataclass
from enum import StrEnum

from tenants.catalog.models import State
from tenants.foundation.errors import Conflict, Gone, NotAllowed, Refusal, Unavailable

#: What a tenant's own schema says of its state: the word that counts, read in the transaction that it decides on.
STATE_HERE = "select state from tenant_profile"


class Locked(Refusal):
    """The workspace is put away, and stays so until somebody does something about it (RFC 4918, 11.3)."""

    status = 423
    code = "tenant_archived"
    title = "This workspace is put away"


class Work(StrEnum):
    """Which jobs are handed out: all, those declared as `always` (exports, mails, what the law asks for), or none."""

    ALL = "all"
    ALWAYS = "always"
    NONE = "none"


class Mover(StrEnum):
    """Who moves a tenant: one of its admins, whoever runs the program, or the program by itself."""

    ADMIN = "admin"
    OPERATOR = "operator"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Permits:
    """What goes on in a tenant of one state. `said` is the sentence for whoever is refused, `refusal` its kind.

    Where nothing is written, permissions marked `always` and one's own affairs are excepted if `work` is not none.
    """

    refusal: type[Refusal]
    said: str
    sign_in: bool = False
    reads: bool = False
    writes: bool = False
    work: Work = Work.NONE
    visits: bool = False

    @property
    def exports(self) -> bool:
        return self.work is not Work.NONE


_PREPARED = Permits(Unavailable, "This workspace is being prepared. Try again in a moment.")
_STANDS_STILL = "Nothing is changed here at this moment: this workspace is {}. Try again in a few minutes."


def _kept(refusal: type[Refusal], said: str, *, writes: bool = False) -> Permits:
    """Everything in it can be read and taken away."""
    work = Work.ALL if writes else Work.ALWAYS
    return Permits(refusal, said, sign_in=True, reads=True, writes=writes, work=work, visits=True)


PERMITS: dict[State, Permits] = {
    State.MAKING: _PREPARED,
    State.SPARE: _PREPARED,
    State.CLAIMED: _PREPARED,
    State.ACTIVE: _kept(Conflict, "This workspace is active.", writes=True),
    State.FENCED: Permits(
        Unavailable, "This tenant could not be brought to the program's new version. We are mending it."
    ),
    State.SUSPENDED: _kept(
        NotAllowed, "This workspace is suspended: everything in it can be read and exported, nothing changed."
    ),
    State.FROZEN: Permits(Unavailable, _STANDS_STILL.format("frozen"), reads=True),
    State.ARCHIVING: Permits(
        Locked, "This workspace is being archived: it can be read until then, not changed.", reads=True
    ),
    State.ARCHIVED: Permits(
        Locked,
        "This workspace is archived, whole and unread. One of its admins wakes it: POST /api/v1/archives/links.",
    ),
    State.THAWING: Permits(
        Unavailable, "This workspace comes back from its archive. Try again in a few minutes."
    ),
    State.MOVING: Permits(Unavailable, _STANDS_STILL.format("being moved to another server"), reads=True),
    State.CLOSING: _kept(
        NotAllowed, "This workspace is closing: everything in it can be read and exported, nothing changed."
    ),
    State.DESTROYED: Permits(Gone, "This workspace was closed and destroyed."),
}

#: In which a tenant's role has all of its rights, so that at least the house can put something on record there.
WRITABLE = (State.ACTIVE, State.SUSPENDED, State.CLOSING)

#: Who may move a tenant from which state to which; every other way is refused.
MOVES: dict[tuple[State, State], frozenset[Mover]] = {
    (State.MAKING, State.SPARE): frozenset({Mover.PLATFORM}),
    (State.SPARE, State.CLAIMED): frozenset(Mover),
    (State.CLAIMED, State.ACTIVE): frozenset({Mover.PLATFORM}),
    (State.ACTIVE, State.SUSPENDED): frozenset({Mover.OPERATOR}),
    (State.SUSPENDED, State.ACTIVE): frozenset({Mover.OPERATOR}),
    (State.ACTIVE, State.FROZEN): frozenset(Mover),
    (State.SUSPENDED, State.FROZEN): frozenset({Mover.OPERATOR, Mover.PLATFORM}),
    (State.FROZEN, State.ACTIVE): frozenset({Mover.OPERATOR, Mover.PLATFORM}),
    (State.FROZEN, State.SUSPENDED): frozenset({Mover.OPERATOR, Mover.PLATFORM}),
    (State.FROZEN, State.ARCHIVING): frozenset({Mover.PLATFORM}),
    (State.FROZEN, State.MOVING): frozenset({Mover.PLATFORM}),
    (State.ARCHIVING, State.ARCHIVED): frozenset({Mover.PLATFORM}),
    (State.ARCHIVING, State.FROZEN): frozenset({Mover.PLATFORM}),
    (State.ARCHIVED, State.THAWING): frozenset({Mover.ADMIN, Mover.OPERATOR}),
    (State.THAWING, State.ACTIVE): frozenset({Mover.PLATFORM}),
    (State.THAWING, State.SUSPENDED): frozenset({Mover.PLATFORM}),
    (State.MOVING, State.ACTIVE): frozenset({Mover.PLATFORM}),
    (State.MOVING, State.SUSPENDED): frozenset({Mover.PLATFORM}),
    (State.ACTIVE, State.CLOSING): frozenset({Mover.PLATFORM}),
    (State.SUSPENDED, State.CLOSING): frozenset({Mover.PLATFORM}),
    (State.CLOSING, State.ACTIVE): frozenset({Mover.ADMIN, Mover.OPERATOR}),
    (State.CLOSING, State.SUSPENDED): frozenset({Mover.ADMIN, Mover.OPERATOR}),
    (State.CLOSING, State.DESTROYED): frozenset({Mover.PLATFORM}),
    (State.THAWING, State.DESTROYED): frozenset({Mover.OPERATOR}),
}


#: What somebody wants of a tenant who moves it to a state.
WANTED = {
    State.ACTIVE: "go on",
    State.SUSPENDED: "be suspended",
    State.FROZEN: "be archived or moved",
    State.ARCHIVING: "be archived",
    State.ARCHIVED: "be archived",
    State.THAWING: "come back from an archive",
    State.MOVING: "be moved",
    State.CLOSING: "be closed",
    State.DESTROYED: "be destroyed",
}


def refusal_of(state: State) -> Refusal:
    """The answer for whoever asks what this state does not permit; its code is `tenant_<state>`."""
    permits = PERMITS[state]
    code = "unavailable" if state is State.FENCED else f"tenant_{state.value}"
    return permits.refusal(permits.said, code=code)


def must_be_a_move(before: State, after: State, mover: Mover) -> None:
    """Raises Conflict when this mover may not move a tenant this way."""
    movers = MOVES.get((before, after), frozenset())
    if mover in movers:
        return
    if before is after:
        raise Conflict(f"This tenant is {before.value} already.", code="state_conflict")
    wanted = WANTED.get(after, f"become {after.value}")
    way = " this way" if movers else ""
    raise Conflict(f"A tenant that is {before.value} can't {wanted}{way}.", code="state_conflict")
