"""What a domain says of itself in DNS, asked of the system's own resolvers."""

from collections.abc import Callable
from typing import TypeAlias

import dns.exception
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from tenants.foundation.errors import Unavailable

Records: TypeAlias = Callable[[str], list[str]]
SECONDS = 5.0


def look_up_records(name: str) -> list[str]:
    """The texts of a name; none when there is no such name. Raises Unavailable when no resolver answers in time."""
    try:
        found = dns.resolver.Resolver().resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise Unavailable("DNS does not answer at the moment. Try again.") from error
    texts = (b"".join(each.strings) for each in found if isinstance(each, TXT))
    return [text.decode("utf-8", "replace") for text in texts]


_asked: list[Records] = [look_up_records]


def use_records(records: Records) -> None:
    """Say where records come from, where it is not DNS: in tests."""
    _asked[:] = [records]


def txt_records(name: str) -> list[str]:
    """The texts that DNS has for a name. Raises Unavailable when it can't be asked."""
    return _asked[0](name)
