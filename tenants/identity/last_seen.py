"""When a session, key or connected app was last there: noted after the answer, every five minutes at most."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from threading import Lock
from time import monotonic

from flask import request

from tenants.catalog.registry import Home
from tenants.foundation.afterwards import afterwards
from tenants.http.guard import Credential
from tenants.isolation.door import inside

EVERY_SECONDS = 300.0
REMEMBERED = 10_000
# Another process may have noted it a moment ago.
NOTES = {
    "session": "update sessions set last_seen_at = now()"
    " where hash = %(hash)s and last_seen_at < now() - interval '4 minutes'",
    "api_key": "update api_keys set last_used_at = now(), last_used_address = %(address)s"
    " where hash = %(hash)s and (last_used_at is null or last_used_at < now() - interval '4 minutes')",
    "oauth": "update connected_apps set last_used_at = now()"
    " where id = (select connected_app_id from oauth_tokens where hash = %(hash)s)"
    " and (last_used_at is null or last_used_at < now() - interval '4 minutes')",
}


class LastSeen:
    """Remembers what this process noted of late: on most requests one look into a dictionary."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def note(self, credential: Credential, home: Home) -> None:
        """This credential was good just now."""
        if self._until.get(credential.hash, 0.0) > monotonic():
            return
        with self._lock:
            self._until[credential.hash] = monotonic() + EVERY_SECONDS
            while len(self._until) > REMEMBERED:
                self._until.popitem(last=False)
        if statement := NOTES.get(credential.kind):
            values = {"hash": credential.hash, "address": request.remote_addr}
            afterwards.do(partial(_write, home, statement, values))


def _write(home: Home, statement: str, values: Mapping[str, object]) -> None:
    with inside(home) as tenancy:
        tenancy.send_along(statement, values)
