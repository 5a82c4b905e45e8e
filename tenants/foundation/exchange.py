"""One HTTP request to one pinned address and its answer, within limits on time and size."""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from time import monotonic

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from tenants.foundation.cutting_off import cut_off_after
from tenants.foundation.errors import Unavailable

USUAL_PORTS = {"https": 443, "http": 80}
#: More addresses of one host than this are not tried.
ADDRESSES_TRIED = 3
#: Ours alone to set: they decide who is spoken to and where the request ends.
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "user-agent"}
)
AGENT = "Freehold"


class OutboundFailed(Unavailable):
    """Nobody answered, or not in a way that can be used; the request may have arrived all the same."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long all of it may take, the look-up included, and how many bytes the answer's body may have."""

    seconds: float = 10.0
    bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a URL means: `host` is what the certificate has to name."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and to which URL."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if ours := OURS & {name.lower() for name in self.headers}:
            raise ValueError(f"A caller can't set {', '.join(sorted(ours))}.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the names of its headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def exchange(
    target: Target,
    addresses: list[str],
    request: Request,
    limits: Limits,
    deadline: float,
    trust: ssl.SSLContext,
) -> Answer:
    """Ask the first of these addresses that takes a connection, and be done at the deadline."""
    with (
        _in_words(target, limits, deadline),
        closing(_connected(target, addresses, deadline, trust)) as connection,
        _cut_off(connection, deadline),
    ):
        return _asked(connection, target, request, limits)


def _connected(
    target: Target, addresses: list[str], deadline: float, trust: ssl.SSLContext
) -> HTTPConnection:
    failure: HTTPError | None = None
    for address in addresses[:ADDRESSES_TRIED]:
        connection = _connection(target, address, max(deadline - monotonic(), 0.001), trust)
        try:
            connection.connect()
        except (ConnectTimeoutError, NewConnectionError) as error:
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure or OutboundFailed(f"{target.host} has no address.")


def _connection(target: Target, address: str, timeout: float, trust: ssl.SSLContext) -> HTTPConnection:
    """To the address, for the host, whose name the certificate must have. No proxy is read from anywhere."""
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=timeout)
    return HTTPSConnection(
        address, target.port, timeout=timeout, ssl_context=trust, server_hostname=target.host
    )


def _asked(connection: HTTPConnection, target: Target, request: Request, limits: Limits) -> Answer:
    # Not compressed: a small answer can't turn into a large one.
    ours = {"Host": target.authority, "Accept-Encoding": "identity", "User-Agent": AGENT}
    connection.request(
        request.method,
        target.path,
        request.body,
        {**request.headers, **ours},
        preload_content=False,
        decode_content=False,
    )
    answer: HTTPResponse = connection.getresponse()
    body = bytearray()
    while chunk := answer.read(limits.bytes + 1 - len(body)):  # the last, empty read notices a missing end
        body += chunk
        if len(body) > limits.bytes:
            raise OutboundFailed(f"{target.host} answered with more than {limits.bytes} bytes.")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status, headers, bytes(body))


@contextmanager
def _cut_off(connection: HTTPConnection, deadline: float) -> Iterator[None]:
    """End it at the deadline."""
    wire = connection.sock
    with cut_off_after(deadline - monotonic(), lambda: wire) as cut_off:
        yield
    if cut_off.is_set():  # a head or a body without a length looks whole when it is cut
        raise TimeoutError


@contextmanager
def _in_words(target: Target, limits: Limits, deadline: float) -> Iterator[None]:
    try:
        yield
    except (HTTPError, http.client.HTTPException, OSError) as error:
        if monotonic() >= deadline:
            raise OutboundFailed(f"{target.host} took longer than {limits.seconds:g} seconds.") from error
        if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            raise OutboundFailed(f"{target.host} can't be trusted: {error}.") from error
        raise OutboundFailed(f"{target.host} can't be reached: {error}.") from error
