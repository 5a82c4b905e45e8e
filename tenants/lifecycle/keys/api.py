"""The data keys of a workspace over HTTP."""

from typing import Any

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.isolation.door import db
from tenants.jobs.models import Job
from tenants.jobs.schemas import JOBS
from tenants.lifecycle.keys.brought import bring, give_back
from tenants.lifecycle.keys.jobs import reseal
from tenants.lifecycle.keys.permissions import BRING_KEYS, READ_KEYS, ROTATE_KEYS
from tenants.lifecycle.keys.queries import keys_now
from tenants.lifecycle.keys.rotation import begin
from tenants.lifecycle.keys.schemas import BroughtKeyBody, KeysSchema

keys = Blueprint("keys", __name__, url_prefix="/keys", purpose=Purpose.SECURITY)


@keys.get("", may=READ_KEYS)
@keys.response(200, KeysSchema)
def get_keys() -> dict[str, Any]:
    """The versions of the workspace's data key, and how far a rotation is."""
    return keys_now()


@keys.post("/rotate", may=ROTATE_KEYS)
@keys.answers(202, JOBS)
def rotate_keys() -> Job:
    """Seal with a new version from now on. The job seals everything anew, then destroys the older version."""
    return db().get_one(Job, reseal.later(begin()))


@keys.put("/brought", may=BRING_KEYS)
@keys.takes(BroughtKeyBody())
@keys.response(202, KeysSchema)
def bring_key(said: dict[str, Any]) -> dict[str, Any]:
    """Have a key of one's own in AWS KMS wrap the data key from now on; it is tried first.

    A new version follows, so that everything is sealed with one that no other key ever wrapped.
    """
    bring(said["key_arn"], said["role_arn"])
    reseal.later(begin())
    return keys_now()


@keys.delete("/brought", may=BRING_KEYS)
@keys.response(200, KeysSchema)
def give_back_key() -> dict[str, Any]:
    """Have our key wrap the data key again. The key that was brought has to open it for the last time."""
    give_back()
    return keys_now()
