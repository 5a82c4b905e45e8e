"""What a provider says of itself (OpenID Connect Discovery 1.0) and the keys it signs with, remembered for a while."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from tenants.foundation.errors import Conflict
from tenants.foundation.exchange import OutboundFailed
from tenants.foundation.outbound import OutboundRefused
from tenants.foundation.way_out import outbound
from tenants.identity.single_sign_on.transport import fetch

T = TypeVar("T")
WELL_KNOWN = "/.well-known/openid-configuration"
CLIENT_AUTHENTICATION = ("client_secret_basic", "client_secret_post")
#: A provider that was asked a minute ago is not asked again for a key it did not have then.
ASKED_AGAIN_SECONDS = 60.0
KEPT_SECONDS = 600.0
MOST_KEPT = 1000
SMALLEST_RSA_BYTES = 256
KINDS_OF_KEYS = ("RSA", "EC", "OKP")


class ProviderUnusable(Conflict):
    """The provider answers in a way that can't be used; the sentence is for the tenant's admin."""

    code = "provider_unusable"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What of a provider's self-description is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    authentication: str
    names_itself: bool
    """Whether its answers carry `iss` (RFC 9207), so that one without is refused."""


class Remembered(Generic[T]):
    """Answers by address, each with when it was fetched; the oldest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = Lock()

    def get(self, url: str, ask: Callable[[str], T], *, no_older_than: float) -> T:
        found = self._kept.get(url)
        if found is not None and monotonic() - found[0] < no_older_than:
            return found[1]
        answer = ask(url)
        with self._lock:
            self._kept[url] = (monotonic(), answer)
            self._kept.move_to_end(url)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return answer


_metadata: Remembered[Metadata] = Remembered()
_keys: Remembered[tuple[Key, ...]] = Remembered()


def metadata_of(issuer: str, *, fresh: bool = False) -> Metadata:
    """What the provider at this issuer says of itself, checked. Raises ProviderUnusable, OutboundFailed."""
    return _metadata.get(issuer, _discover, no_older_than=0 if fresh else KEPT_SECONDS)


def keys_of(jwks_uri: str, key_id: str | None) -> tuple[Key, ...]:
    """The keys that a token with this `kid` may be signed with. Raises as `metadata_of` does."""
    for age in (KEPT_SECONDS, ASKED_AGAIN_SECONDS):
        keys = _keys.get(jwks_uri, _fetch_keys, no_older_than=age)
        if fitting := tuple(key for key in keys if key_id is None or key.kid == key_id):
            return fitting
    return ()


def _discover(issuer: str) -> Metadata:
    said = _json(must_be_safe(issuer, "The issuer").rstrip("/") + WELL_KNOWN)
    if said.get("issuer") != issuer:
        raise ProviderUnusable("The provider calls itself by another issuer than the one you gave.")
    needed = {
        name: must_be_safe(said.get(name), f"'{name}'")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    chosen = [each for each in CLIENT_AUTHENTICATION if each in methods]
    if not chosen:
        raise ProviderUnusable("The provider takes a client's secret in no way that we know.")
    return Metadata(
        issuer=issuer,
        **needed,
        userinfo_endpoint=said.get("userinfo_endpoint")
        and must_be_safe(said["userinfo_endpoint"], "'userinfo_endpoint'"),
        authentication=chosen[0],
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def must_be_safe(url: Any, what: str) -> str:
    """An https address without anything that does not belong into one; http only where loopback is allowed."""
    if isinstance(url, str) and url.isascii() and url.isprintable() and len(url) <= 1000:  # noqa: PLR2004 - no real one is longer
        parts = urlsplit(url)
        schemes = ("https", "http") if outbound().allow_loopback else ("https",)
        if parts.scheme in schemes and parts.hostname and not parts.fragment and not set(" \\@") & set(url):
            return url
    raise ProviderUnusable(f"{what} should look like https://login.example.com.")


def _fetch_keys(jwks_uri: str) -> tuple[Key, ...]:
    """The public keys for signatures; what is too weak, shared, or of a kind nobody knows is left out."""
    listed = _json(jwks_uri).get("keys")
    usable = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return tuple(key for each in usable if (key := _key(each)) is not None)


def _key(said: dict[str, Any]) -> Key | None:
    if said.get("kty") not in KINDS_OF_KEYS or said.get("use", "sig") != "sig":
        return None
    if said["kty"] == "RSA" and len(str(said.get("n", ""))) * 3 // 4 < SMALLEST_RSA_BYTES:
        return None
    try:
        key = import_key(said)
    except (JoseError, ValueError, TypeError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _json(url: str) -> dict[str, Any]:
    try:
        answer = fetch("GET", url, headers={"Accept": "application/json"})
    except OutboundRefused as error:
        raise ProviderUnusable(str(error)) from error
    if answer.status != 200:  # noqa: PLR2004 - HTTP's word for yes
        raise OutboundFailed(f"The provider answers {answer.status} where it should describe itself.")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ProviderUnusable("The provider does not answer in JSON where it should describe itself.")
    return said
