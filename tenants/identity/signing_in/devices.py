"""Which device it is: its browser and system in a word each, and whether somebody has signed in on it before.

A device that was signed in on carries a cookie of its own (OWASP's device cookies). It opens nothing: it only has tries
of its own, so that whoever guesses from elsewhere doesn't keep the owner out.
"""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from tenants.isolation.keys import KeyWrapper

PURPOSE = "device"
LASTS_SECONDS = 180 * 86400
LONGEST = 200
#: What names itself and others besides comes before the others.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """A device on which this address signed in to this tenant before."""

    tenant_id: UUID
    nonce: str


def described(user_agent: str | None) -> str | None:
    """`Firefox on Windows`, as far as the text that browsers send of themselves tells."""
    said = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark.lower() in said.lower()), None)
    system = next((name for mark, name in SYSTEMS if mark in said), None)
    return " on ".join(each for each in (browser, system) if each) or None


def new_device(wrapper: KeyWrapper, tenant_id: UUID, hashed_email: bytes) -> str:
    """What a device shows next time; made from the key of this installation, and kept nowhere."""
    nonce = secrets.token_urlsafe(12)
    return f"{tenant_id.hex}.{nonce}.{_mark(wrapper, tenant_id, nonce, hashed_email)}"


def known_device(wrapper: KeyWrapper, shown: str | None, hashed_email: bytes) -> Device | None:
    """The device that this is for this address, None when it isn't known."""
    tenant, _, rest = (shown or "").partition(".")
    nonce, _, mark = rest.partition(".")
    try:
        tenant_id = UUID(hex=tenant)
    except ValueError:
        return None
    good = hmac.compare_digest(mark.encode(), _mark(wrapper, tenant_id, nonce, hashed_email).encode())
    return Device(tenant_id, nonce) if good else None


def _mark(wrapper: KeyWrapper, tenant_id: UUID, nonce: str, hashed_email: bytes) -> str:
    return wrapper.hashed(f"{tenant_id.hex}.{nonce}.{hashed_email.hex()}", PURPOSE).hex()
