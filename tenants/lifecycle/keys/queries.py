"""What there is to say about the keys of the tenant at hand."""

from typing import Any

from tenants.isolation.door import here
from tenants.lifecycle.keys.brought import external_id, state_now
from tenants.lifecycle.keys.rotation import latest_job, left
from tenants.lifecycle.keys.versions import key_versions


def keys_now() -> dict[str, Any]:
    """Versions, whose key wraps them and whether it lets us, the latest rotation, and what it has left to do."""
    job = latest_job()
    rotation = job and {
        "job_id": job.id, "status": job.state, "done": job.done, "total": job.total, "phase": job.phase,
        "error": job.error,
    }  # fmt: skip
    tenant_id = here().home.id
    return {
        "brought": state_now(),
        "external_id": external_id(tenant_id),
        "versions": key_versions().of(tenant_id),
        "rotation": rotation,
        "left": left(),
    }
