"""Whether a copy is the tenant: as it was read on both sides, and by whether what is sealed opens there."""

from tenants.foundation.errors import Conflict
from tenants.isolation.aside import Aside
from tenants.lifecycle.moves.hashes import Reading, differing
from tenants.lifecycle.moves.running import read_only
from tenants.portability.comparing import content_here
from tenants.portability.contents import tables


def open_all(copy: Aside) -> None:
    """Raises what is said of a value that does not open. It is tried while people work, who need not wait for it."""
    with read_only(copy):
        content_here(these=[each for each in tables() if each.sealed])


def must_be_same(expected: Reading, found: Reading) -> None:
    """Raises Conflict with the tables that are not."""
    if different := differing(expected, found):
        raise Conflict(f"The copy is not the tenant, in {', '.join(different)}.")
