"""How the OpenID client reaches a provider: through the one door out, whatever library puts the request together."""

from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from tenants.foundation.exchange import OURS, Answer, Limits, OutboundFailed, Request
from tenants.foundation.outbound import ANY_HOST, processor
from tenants.foundation.tables import Purpose
from tenants.foundation.way_out import outbound

PROVIDERS = processor("identity-providers", purposes=[Purpose.SECURITY], hosts=[ANY_HOST])
LIMITS = Limits(seconds=5, bytes=256 * 1024)
REDIRECTS = range(300, 400)


class ThroughTheDoor(BaseAdapter):
    """A transport adapter of requests whose only way out is the house's: pinned address, no proxy, no redirect."""

    def send(self, request: PreparedRequest, *_args: Any, **_options: Any) -> Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        answer = fetch(str(request.method), str(request.url), headers=_texts(request.headers), body=body)
        made = Response()
        made.status_code, made.url, made.request = answer.status, str(request.url), request
        made.headers.update(answer.headers)
        made._content = answer.body  # noqa: SLF001 - a response of requests is filled like this
        return made

    def close(self) -> None:
        """Nothing is kept open."""


def fetch(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
    """Ask a provider. Raises OutboundRefused, and OutboundFailed also when it sends us elsewhere."""
    sent = {name: value for name, value in (headers or {}).items() if name.lower() not in OURS}
    asked = Request(method, url, sent, body)
    answer = outbound().send(PROVIDERS, asked, purpose=Purpose.SECURITY, limits=LIMITS)
    if answer.status in REDIRECTS:
        raise OutboundFailed("The provider redirects, and nobody follows.")
    return answer


def _texts(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}
