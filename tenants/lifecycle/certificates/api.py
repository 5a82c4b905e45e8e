"""Certificates of destruction over HTTP, and the key to check them with, which is everybody's to see."""

from typing import Any

from tenants.access.permissions import ANYONE
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.isolation.door import here
from tenants.lifecycle.certificates import issuing
from tenants.lifecycle.certificates.permissions import READ_CERTIFICATES
from tenants.lifecycle.certificates.schemas import CertificateKeySchema, CertificatesSchema

certificates = Blueprint("certificates", __name__, url_prefix="/certificates", purpose=Purpose.SECURITY)


@certificates.get("", may=READ_CERTIFICATES)
@certificates.response(200, CertificatesSchema)
def list_certificates() -> dict[str, Any]:
    """What of this workspace was destroyed for good, each signed."""
    return {"data": issuing.certificates().of(here().home.id)}


@certificates.get("/key", may=ANYONE)
@certificates.response(200, CertificateKeySchema)
def get_certificate_key() -> dict[str, Any]:
    """The public key of this installation, by which anybody checks a certificate."""
    return {"algorithm": "Ed25519", "public_key": issuing.certificates().public_key()}
