"""A bar on a terminal, and nothing anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Tell(Protocol):
    """Hears what is being done, how much of it is done, and how much there is of it, where that is known."""

    def __call__(self, what: str, done: int, total: int | None = None) -> None: ...


@contextmanager
def shown_progress(expected: int | None = None) -> Iterator[Tell]:
    """A bar for as long as the block lasts, and how to move it; `expected` is how much there is, where that is known."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=expected)

        def tell(what: str, done: int, total: int | None = None) -> None:
            whole = expected if total is None else total
            bar.update(
                task, description=what, completed=done, total=None if whole is None else max(whole, done)
            )

        yield tell
