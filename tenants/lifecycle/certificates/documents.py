"""The text of a certificate and its Ed25519 signature: checked with the published key, without any server."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORM = "freehold certificate of destruction 1"


class NotACertificate(Exception):
    """What was shown is no certificate of ours, or was changed; the message is a sentence for whoever asked."""


def new_signing_key() -> tuple[bytes, bytes]:
    """A private key, to be wrapped at once, and its public key."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys, ASCII only, without spaces, after a line that says what it is."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{FORM}\n{text}".encode()


def sign(private_key: bytes, document: Mapping[str, Any]) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(canonical(document))


def as_file(document: Mapping[str, Any], signature: bytes, public_key: bytes) -> dict[str, Any]:
    """A certificate as it is handed out."""
    return {
        "form": FORM,
        "certificate": dict(document),
        "signature": base64.b64encode(signature).decode(),
        "public_key": base64.b64encode(public_key).decode(),
    }


def verified(content: bytes, public_key: str | None = None) -> dict[str, Any]:
    """What a certificate file says. Raises NotACertificate when it was changed, or signed by another key than this.

    Without `public_key` (base64, as the installation publishes it) it is checked against the key that the file names:
    whoever asks has to compare that with the published one.
    """
    try:
        file = json.loads(content)
        document, form = file["certificate"], file["form"]
        signature = base64.b64decode(file["signature"], validate=True)
        named = base64.b64decode(file["public_key"], validate=True)
        expected = named if public_key is None else base64.b64decode(public_key, validate=True)
        key = Ed25519PublicKey.from_public_bytes(expected)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise NotACertificate("This is not a certificate of destruction, or the key is none.") from None
    if form != FORM or not isinstance(document, dict):
        raise NotACertificate("This is a certificate of another kind.")
    if named != expected:
        raise NotACertificate("This certificate was signed by another key than the one that was given.")
    try:
        key.verify(signature, canonical(document))
    except InvalidSignature:
        raise NotACertificate("This certificate was changed after it was signed.") from None
    return document
