"""Files for the tests of storage, small and large."""

from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete

from tenants.catalog.models import PlaceMark
from tenants.catalog.registry import Catalog
from tenants.isolation import bucket

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
ROOT = Path(__file__).parents[3]
LARGE = 20 * 1024 * 1024
#: boto3 takes half a second to make a client, and all of these lead to one server.
one_client = cache(bucket._new_client)


def read(storage, name):
    with storage.open_stream(name) as chunks:
        return b"".join(chunks)


def large(length=LARGE):
    chunk = bytes(range(256)) * 256
    for _ in range(length // len(chunk)):
        yield chunk


def be_another_installation(catalog: Catalog) -> None:
    """Whose catalog knows nothing of what is there."""
    with catalog.transaction() as session:
        session.execute(delete(PlaceMark))


def files_in(folder: Path) -> list[str]:
    return [each.name for each in folder.rglob("*") if each.is_file()]
