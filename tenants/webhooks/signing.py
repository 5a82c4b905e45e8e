"""Secrets and signatures as Standard Webhooks has them (spec 1.0, "Signature scheme": symmetric, `v1`)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
#: The spec asks for 24 to 64.
BYTES = 32


def new_secret() -> str:
    """A secret as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def signed(event_id: str, at: datetime, body: bytes, by: Iterable[str]) -> Mapping[str, str]:
    """The headers of a delivery, signed by each of these secrets."""
    moment = str(int(at.timestamp()))
    signatures = " ".join(f"v1,{_signature(each, f'{event_id}.{moment}.'.encode() + body)}" for each in by)
    return {"webhook-id": event_id, "webhook-timestamp": moment, "webhook-signature": signatures}


def _signature(secret: str, said: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
