"""The data keys of a workspace over HTTP."""

from typing import Any

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.lifecycle.keys.jobs import reseal
from tenants.lifecycle.keys.permissions import READ_KEYS, ROTATE_KEYS
from tenants.lifecycle.keys.queries import keys_now
from tenants.lifecycle.keys.rotation import begin
from tenants.lifecycle.keys.schemas import KeysSchema

keys = Blueprint("keys", __name__, url_prefix="/keys", purpose=Purpose.SECURITY)


@keys.get("", may=READ_KEYS)
@keys.response(200, KeysSchema)
def get_keys() -> dict[str, Any]:
    """The versions of the workspace's data key, and how far a rotation is."""
    return keys_now()


@keys.post("/rotate", may=ROTATE_KEYS)
@keys.response(202, KeysSchema)
def rotate_keys() -> dict[str, Any]:
    """Seal with a new version from now on; a job seals everything anew, then destroys the older version."""
    reseal.later(begin())
    return keys_now()
