"""One attempt to deliver: through the one door out, to nobody else than the public address that was looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from tenants.foundation.exchange import Limits, OutboundFailed, Request
from tenants.foundation.outbound import ANY_HOST, OutboundRefused, processor
from tenants.foundation.tables import Purpose
from tenants.foundation.way_out import outbound

RECEIVERS = processor("webhook receivers", purposes=[Purpose.OPERATION], hosts=[ANY_HOST])
LIMITS = Limits(seconds=10, bytes=16 * 1024)
#: An address is looked up while a request waits for it.
LOOK_UP = Limits(seconds=3)
LONGEST_EXCERPT = 200
TAKEN = range(200, 300)
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent, and where to."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an attempt; `error` is None when the receiver took it."""

    milliseconds: int
    status_code: int | None = None
    excerpt: str | None = None
    error: str | None = None


def check(url: str) -> None:
    """Raises OutboundRefused for an address that nothing is ever sent to, OutboundFailed for one that isn't found."""
    outbound().admit(RECEIVERS, url, purpose=Purpose.OPERATION, limits=LOOK_UP)


def send(parcel: Parcel) -> Answered:
    """Try it once. A redirect is not followed, an answer that is too long or late is none."""
    began = monotonic()
    asked = Request("POST", parcel.url, parcel.headers, parcel.body)
    try:
        answer = outbound().send(RECEIVERS, asked, purpose=Purpose.OPERATION, limits=LIMITS)
    except (OutboundRefused, OutboundFailed) as error:
        return Answered(_since(began), error=error.detail)
    excerpt = shown(answer.body)
    return Answered(_since(began), answer.status, excerpt, _complaint(answer.status))


def shown(body: bytes) -> str | None:
    """The beginning of an answer in one line of printable characters."""
    text = body[: 4 * LONGEST_EXCERPT].decode(errors="replace")
    plain = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(plain.split())[:LONGEST_EXCERPT] or None


def _complaint(status: int) -> str | None:
    if status in TAKEN:
        return None
    if status in REDIRECTS:
        return f"The receiver answered {status}: it sends us elsewhere, and nobody follows."
    return f"The receiver answered {status}."


def _since(began: float) -> int:
    return round((monotonic() - began) * 1000)
