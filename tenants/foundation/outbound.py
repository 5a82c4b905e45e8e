"""The only door out: to a declared processor, for a declared purpose, at a public address looked up once."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from time import monotonic
from urllib.parse import quote, urlsplit

import structlog

from tenants.foundation.addresses import Resolver, is_loopback, is_public, look_up, look_up_within
from tenants.foundation.errors import Conflict
from tenants.foundation.exchange import USUAL_PORTS, Answer, Limits, OutboundFailed, Request, Target, exchange
from tenants.foundation.tables import Purpose

#: For a processor whose hosts are named by tenants, such as the receivers of their webhooks.
ANY_HOST = "*"

USUAL_LIMITS = Limits()
IN_A_PATH = "/%:@!$&'()*+,;=-._~"
IN_A_QUERY = IN_A_PATH + "?"

log = structlog.get_logger()


class OutboundRefused(Conflict):
    """This connection is not allowed; nothing was sent."""

    code = "outbound_refused"


@dataclass(frozen=True, slots=True)
class Processor:
    """Somebody outside who gets data from us: who it is, what for, and at which hosts."""

    name: str
    purposes: frozenset[Purpose]
    hosts: frozenset[str]

    def answers_at(self, target: Target) -> bool:
        anywhere = ANY_HOST in self.hosts and target.port == USUAL_PORTS["https"]
        return anywhere or target.authority in self.hosts


_processors: dict[str, Processor] = {}


def processor(name: str, *, purposes: Iterable[Purpose], hosts: Iterable[str]) -> Processor:
    """Declare a processor. A host is a name, or `name:port` where it is not the usual one."""
    if name in _processors:
        raise ValueError(f"The processor {name} is declared twice.")
    # Purpose(…) refuses what is none: there is no purpose for the marketing of third parties.
    declared = Processor(name, frozenset(map(Purpose, purposes)), frozenset(hosts))
    if not declared.purposes or not declared.hosts:
        raise ValueError(f"The processor {name} needs a purpose and a host.")
    _processors[name] = declared
    return declared


def processors() -> list[Processor]:
    """Every processor that anything can be sent to."""
    return sorted(_processors.values(), key=lambda each: each.name)


@dataclass(frozen=True, slots=True)
class Outbound:
    """Sends requests out. For tests, `allow_loopback` lets them reach this machine, over plain HTTP too."""

    allow_loopback: bool = False
    resolver: Resolver = look_up
    trust: ssl.SSLContext = field(default_factory=cache(ssl.create_default_context))

    def send(
        self, to: Processor, request: Request, *, purpose: Purpose, limits: Limits = USUAL_LIMITS
    ) -> Answer:
        """One request and its answer. A redirect is an answer too: nobody follows it."""
        noted = log.bind(processor=to.name, purpose=str(purpose))
        deadline = monotonic() + limits.seconds
        try:
            _refuse_undeclared(to, purpose)
            target = _target(request.url)
            noted = noted.bind(host=target.host)
            addresses = self._admitted(to, target, limits)
            answer = exchange(target, addresses, request, limits, deadline, self.trust)
        except (OutboundRefused, OutboundFailed) as error:
            noted.warning("outbound", outcome=type(error).__name__, reason=str(error))
            raise
        noted.info("outbound", outcome="answered", status=answer.status)
        return answer

    def admit(self, to: Processor, url: str, *, purpose: Purpose, limits: Limits = USUAL_LIMITS) -> None:
        """Raises as `send` would before anything is sent, for an address that is to be kept; `send` looks again."""
        _refuse_undeclared(to, purpose)
        self._admitted(to, _target(url), limits)

    def _admitted(self, to: Processor, target: Target, limits: Limits) -> list[str]:
        """The addresses that may be connected to. They are looked up here and never again."""
        complaint = _complaint(to, target)
        if complaint and not self.allow_loopback:
            raise OutboundRefused(complaint)
        try:
            addresses = look_up_within(limits.seconds, target.host, target.port, self.resolver)
        except TimeoutError:
            raise OutboundFailed(f"The address of {target.host} was not found in time.") from None
        except (OSError, UnicodeError) as error:
            raise OutboundFailed(f"The address of {target.host} was not found.") from error
        if self.allow_loopback and addresses and all(map(is_loopback, addresses)):
            return addresses
        if complaint:
            raise OutboundRefused(complaint)
        if not addresses or not all(map(is_public, addresses)):
            raise OutboundRefused(f"{target.host} is not at a public address.")
        return addresses


def _complaint(to: Processor, target: Target) -> str:
    """What already speaks against a target before its address is known."""
    if target.scheme != "https":
        return "Only https goes out."
    if not to.answers_at(target):
        return f"{to.name} is not declared to answer at {target.authority}."
    return ""


def _refuse_undeclared(to: Processor, purpose: Purpose) -> None:
    if _processors.get(to.name) is not to:
        raise OutboundRefused(f"{to.name} is not a declared processor.")
    if purpose not in to.purposes:
        raise OutboundRefused(f"{to.name} is not declared for the purpose {purpose}.")


def _target(url: str) -> Target:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" not in host:
            host = host.encode("idna").decode().lower().rstrip(".")
    except ValueError:  # a UnicodeError too
        raise OutboundRefused("The address can't be read.") from None
    if parts.scheme not in USUAL_PORTS or not host or "%" in host or port == 0:
        raise OutboundRefused("The address should look like https://example.com/path.")
    if "@" in parts.netloc or not url.isprintable() or " " in url or "\\" in url:
        raise OutboundRefused("The address holds something that does not belong into one.")
    path = quote(parts.path or "/", safe=IN_A_PATH)
    query = f"?{quote(parts.query, safe=IN_A_QUERY)}" if parts.query else ""
    return Target(parts.scheme, host, port or USUAL_PORTS[parts.scheme], path + query)
