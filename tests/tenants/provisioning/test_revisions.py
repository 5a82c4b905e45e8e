"""The statements of a revision are the same whoever renders them, and however many do at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tenants.provisioning import revisions

AT_ONCE = 8


def test_several_who_render_at_the_same_moment_get_the_same_statements() -> None:
    alone = revisions.steps("tenant", None)
    revisions._steps.cache_clear()
    start = Barrier(AT_ONCE)

    def render(_number: int) -> tuple[revisions.Revision, ...]:
        start.wait()
        return revisions.steps("tenant", None)

    with ThreadPoolExecutor(AT_ONCE) as crew:
        assert list(crew.map(render, range(AT_ONCE))) == [alone] * AT_ONCE
