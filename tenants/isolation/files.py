"""The files of the tenant at hand, sealed under its data key on their way into storage."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from uuid import UUID

from tenants.foundation.encryption import Context
from tenants.foundation.sealed_streams import seal_stream, unseal_stream
from tenants.isolation.door import here
from tenants.isolation.sealing import keys, sealing_key
from tenants.isolation.storage import Storage, Stored, TenantStorage

_storage: list[Storage] = []


def use_storage(storage: Storage) -> None:
    """Say once, at start-up, where files go."""
    _storage[:] = [storage]


def files() -> TenantStorage:
    """The files of the tenant at hand."""
    return stored_files(here().home.id)


def stored_files(tenant_id: UUID) -> TenantStorage:
    """The files of a tenant that nobody is in; while it is archived, it has no schema that anybody could be in."""
    return _storage[0].for_tenant(tenant_id)


def remove_files_of(tenant_id: UUID) -> None:
    """Remove every file of a tenant that is no more. Raises StorageFailed; run again, it goes on."""
    storage = _storage[0].for_tenant(tenant_id)
    for name in storage.list():
        storage.delete(name)


def store_sealed(name: str, chunks: Iterable[bytes]) -> Stored:
    """Store the chunks as they come, sealed for this name of this tenant. Raises as `TenantStorage.write` does."""
    return files().write(name, seal_stream(sealing_key(), chunks, place_of(here().home.id, name)))


@contextmanager
def opened_file(name: str) -> Iterator[Iterator[bytes]]:
    """What `store_sealed` stored, in chunks, the first of which is known to open.

    Raises NotStored, KeyWithheld, KeyUnopened, and Unreadable when it was altered.
    """
    with sealed_file(here().home.id, name) as chunks:
        yield chunks


@contextmanager
def sealed_file(tenant_id: UUID, name: str) -> Iterator[Iterator[bytes]]:
    """Likewise, of a tenant that nobody is in."""
    place = place_of(tenant_id, name)
    with stored_files(tenant_id).open_stream(name) as chunks:
        pieces = unseal_stream(lambda version: keys().version(tenant_id, version), chunks, place)
        # Whether the key opens it is to be known before an answer has begun.
        yield chain([next(pieces, b"")], pieces)


def place_of(tenant_id: UUID, name: str) -> Context:
    """Where the content of a tenant's file lives."""
    return Context(tenant_id, "files", "content", name)
