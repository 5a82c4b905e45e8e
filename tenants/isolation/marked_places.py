"""A place of files under its mark: nothing is written there or removed, or taken for missing, that is not ours."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from tenants.isolation.marks import Marking
from tenants.isolation.storage import Lock, NotStored


class MarkedPlace(Marking):
    """A place, which gets its mark before the first file. Everything raises NotOurPlace besides what the place raises."""

    def write(self, key: str, chunks: Iterable[bytes], lock: Lock | None = None) -> None:
        self.must_be_ours()
        self._place.write(key, self._ours_to_the_end(chunks), lock)

    @contextmanager
    def open_stream(self, key: str) -> Iterator[Iterator[bytes]]:
        with ExitStack() as open_things:
            try:
                chunks = open_things.enter_context(self._place.open_stream(key))
            except NotStored:
                self.must_be_believed()
                raise
            yield chunks

    def rewrite(self, key: str, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> bool:
        self.must_be_ours()
        return self._place.rewrite(key, lambda chunks: self._ours_to_the_end(change(chunks)))

    def delete(self, key: str) -> None:
        self.must_be_ours()
        self._place.delete(key)

    def exists(self, key: str) -> bool:
        if self._place.exists(key):
            return True
        self.must_be_believed()
        return False

    def list(self, prefix: str) -> Iterator[str]:
        self.must_be_believed()
        yield from self._place.list(prefix)
        self.must_be_believed()  # a folder that was unmounted meanwhile has fewer names

    def sweep_unfinished(self, older_than: timedelta) -> int:
        self.must_be_ours()
        return self._place.sweep_unfinished(older_than)

    def keeps_locks(self) -> bool:
        return self._place.keeps_locks()

    def _ours_to_the_end(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What took long to write appears in no place that was adopted, or unmounted, meanwhile."""
        yield from chunks
        self.must_be_ours()
