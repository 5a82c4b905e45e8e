"""Another key of keys: everything that the former one wrapped is wrapped again, while the program runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from tenants.catalog.models import InstallationKey, TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.isolation.aws_kms import BROUGHT
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyName
from tenants.isolation.wrapping import AWS_KMS, INSTALLATION, LOOK_UPS, Wrapping, file_of
from tenants.support_access.staff.accounts import TOTP_VERSION
from tenants.support_access.staff.models import StaffCredential

T = TypeVar("T")


@dataclass
class Rewrapped:
    """How many keys were wrapped again, and how many were already."""

    wrapped: int = 0
    already: int = 0


def prepare_key(url: str, catalog: Catalog, *, new: bool = False) -> None:
    """Make the key file of a new database, or a `new` one that is to take over; a key of KMS is not ours to make.

    Raises KeyFileUnusable.
    """
    if not url.startswith(AWS_KMS):
        LocalKeyFile.made_if_missing(file_of(url), needed_for=0 if new else catalog.count_of_keys())


def store_look_ups(catalog: Catalog, wrapping: Wrapping) -> None:
    """See to it that the catalog's look-ups don't hang on a key that can change.

    The secret of a wrong key would be lost time for everybody who signs in, so the key has to open something first.
    Raises KeyWithheld, Conflict.
    """
    if catalog.installation_key(LOOK_UPS) is None:
        for each in islice(_wrapped(catalog), 1):
            _opened(wrapping.unwrapped_by_house, each, wrapping)
        catalog.keep_installation_key(LOOK_UPS, wrapping.secret_to_store())


def rewrap_all(
    catalog: Catalog, wrapping: Wrapping, tell: Callable[[int, int], None] = lambda _done, _total: None
) -> Rewrapped:
    """Wrap every key of the catalog with the key of today; run again, it goes on where it was.

    Keys that tenants brought stay as they are. `tell` hears how many are done, of how many. Raises KeyWithheld, and
    Conflict when something opens with neither the key of today nor the one before.
    """
    store_look_ups(catalog, wrapping)
    everything = list(_wrapped(catalog))
    done = Rewrapped()
    for number, each in enumerate(everything, 1):
        again = _opened(wrapping.rewrapped, each, wrapping)
        if again is None:
            done.already += 1
        else:
            each.replace(catalog, again)
            done.wrapped += 1
        tell(number, len(everything))
    return done


@dataclass(frozen=True)
class _Wrapped:
    """A wrapped key in a row of the catalog, under the name it was wrapped for."""

    what: str
    name: KeyName
    column: InstrumentedAttribute[Any]
    row: tuple[Any, ...]
    wrapped: bytes

    def replace(self, catalog: Catalog, again: bytes) -> None:
        """Unless it was changed meanwhile: whoever did that wrapped it with the key of today."""
        query = update(self.column.class_).where(*self.row, self.column == self.wrapped)
        with catalog.transaction() as session:
            session.execute(query.values({self.column.key: again}))


def _opened(opening: Callable[[bytes, KeyName], T], each: _Wrapped, wrapping: Wrapping) -> T:
    try:
        return opening(each.wrapped, each.name)
    except Unreadable:
        raise Conflict(
            f"The wrapped key of {each.what} opens neither with {wrapping.current!r} nor with the one before it."
            " Name the one that wrapped it in FREEHOLD_FORMER_KEY_WRAPPER.",
            code="not_rewrapped",
        ) from None


def _wrapped(catalog: Catalog) -> Iterator[_Wrapped]:
    with catalog.transaction() as session:
        tenants = session.scalars(select(TenantKey).where(TenantKey.wrapped.is_not(None))).all()
        own = session.scalars(select(InstallationKey)).all()
        codes = session.scalars(select(StaffCredential).where(StaffCredential.kind == "totp")).all()
    for key in tenants:
        if key.wrapped is not None and key.wrapped[:1] != BROUGHT:
            row = (TenantKey.tenant_id == key.tenant_id, TenantKey.version == key.version)
            name = KeyName(key.tenant_id, key.version)
            yield _Wrapped(f"tenant {key.tenant_id}", name, TenantKey.wrapped, row, key.wrapped)
    for mine in own:
        what, at = f"the installation ({mine.name})", (InstallationKey.name == mine.name,)
        yield _Wrapped(what, INSTALLATION[mine.name], InstallationKey.wrapped, at, mine.wrapped)
    for code in codes:
        at = (StaffCredential.id == code.id,)
        name = KeyName(code.staff_id, TOTP_VERSION)
        yield _Wrapped(f"staff {code.staff_id}", name, StaffCredential.secret, at, code.secret)
