"""The register of jobs: `@job` declares a function that runs later, `.later(…)` asks for it inside a transaction."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, ParamSpec, get_type_hints
from uuid import UUID

from croniter import croniter
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from tenants.access.caller import Caller, acting
from tenants.foundation.tables import Purpose
from tenants.jobs.accepting import Order, accept

P = ParamSpec("P")
USUAL_MINUTES = 10
HEAVY_MINUTES = 240
StandingOf = Callable[[UUID, str, UUID | None], Caller | None]


@dataclass(frozen=True)
class Work(Generic[P]):
    """A declared job. Calling it does the work here and now, `later` has a worker do it after the commit.

    With `steps` it runs outside of a transaction and opens its own ones with `progress.step()`; otherwise all of it
    is one transaction. Longer than `minutes` it may not take. `always`: also in a tenant that is suspended or closing.
    """

    name: str
    function: Callable[P, Any]
    purpose: Purpose
    heavy: bool
    attempts: int
    every: str | None
    steps: bool
    always: bool
    minutes: int
    arguments: Mapping[str, TypeAdapter[Any]]
    unique: str | None = None
    run_at: datetime | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self.function(*args, **kwargs)

    def later(self, *args: P.args, **kwargs: P.kwargs) -> UUID:
        """Accept the work in the transaction at hand, on behalf of whoever acts in it; the id of the job."""
        given = inspect.signature(self.function).bind(*args, **kwargs).arguments
        at_work = acting()
        caller = at_work.caller
        return accept(
            Order(
                kind=self.name,
                arguments=to_jsonable_python(given),
                heavy=self.heavy,
                max_attempts=self.attempts,
                unique_key=self.unique and f"{self.name}:{self.unique}",
                run_at=self.run_at,
                actor_kind=caller.kind,
                owner_id=caller.user_id,
                team_id=caller.team_id,
                credential_id=caller.credential_id,
                request_id=at_work.request_id,
            )
        )

    def at(self, moment: datetime) -> "Work[P]":
        """The same work, not before this moment: `remind.at(monday).later(task_id=…)`."""
        return replace(self, run_at=moment)

    def once(self, key: str) -> "Work[P]":
        """The same work, at most once at a time: while a job of this key is unfinished, `later` gives that one."""
        return replace(self, unique=key)

    def run_stored(self, arguments: Mapping[str, Any]) -> Any:
        """Do it with arguments as a row holds them."""
        read = {name: self.arguments[name].validate_python(value) for name, value in arguments.items()}
        return self.function(**read)  # type: ignore[call-arg]


_works: dict[str, Work[Any]] = {}
_standing_of: list[StandingOf] = []


def job(  # noqa: PLR0913 - each is said where a job is declared
    name: str,
    *,
    purpose: Purpose,
    heavy: bool = False,
    attempts: int = 5,
    every: str | None = None,
    steps: bool = False,
    always: bool = False,
    minutes: int | None = None,
) -> Callable[[Callable[P, Any]], Work[P]]:
    """Declare a job of tenants. Its arguments are ids and other plain values; `every` is a cron line in UTC.

    Raises TypeError when it has no purpose, ValueError when its name is taken or `every` can't be read.
    """
    if not isinstance(purpose, Purpose):
        raise TypeError(f"The job '{name}' does not say its purpose.")
    if every is not None and not croniter.is_valid(every):
        raise ValueError(f"The job '{name}' should run at '{every}', which can't be read.")

    def declare(function: Callable[P, Any]) -> Work[P]:
        if name in _works:
            raise ValueError(f"The job '{name}' is declared twice.")
        made = Work(
            name, function, purpose, heavy, attempts, every, steps, always,
            minutes or (HEAVY_MINUTES if heavy else USUAL_MINUTES), _arguments(name, function),
        )  # fmt: skip
        _works[name] = made
        return made

    return declare


def work_named(name: str) -> Work[Any] | None:
    return _works.get(name)


def works_always() -> list[str]:
    """The names of the jobs that go on in a tenant that is suspended or closing."""
    return sorted(name for name, work in _works.items() if work.always)


def works() -> dict[str, Work[Any]]:
    """Every declared job by name."""
    return dict(sorted(_works.items()))


def recognise_actors_with(standing_of: StandingOf) -> None:
    """Say once, at start-up, who knows a user's standing of this moment, by user, kind of credential and its id."""
    _standing_of[:] = [standing_of]


def standing_of(user_id: UUID, kind: str, credential_id: UUID | None) -> Caller | None:
    """The caller that a user is at this moment, None when they may do nothing any more; inside their tenant."""
    if not _standing_of:
        message = (
            "Nobody was named who knows users: recognise_actors_with(…) belongs to the start of a worker."
        )
        raise RuntimeError(message)
    return _standing_of[0](user_id, kind, credential_id)


def _arguments(name: str, function: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(function)
    undeclared = [each for each in inspect.signature(function).parameters if each not in hints]
    if undeclared:
        raise TypeError(f"The job '{name}' does not say the type of {', '.join(undeclared)}.")
    return {each: TypeAdapter(hint) for each, hint in hints.items() if each != "return"}
