"""Issues certificates: begun with an inventory before anything is destroyed, signed when nothing of it is left."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from tenants.catalog.models import Certificate, InstallationKey
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.keys import LIFETIME_SECONDS
from tenants.isolation.wrapping import CERTIFICATES, INSTALLATION, Wrapping
from tenants.jobs.platform import ask_for_round
from tenants.lifecycle.certificates.documents import as_file, new_signing_key, sign

WHOLE = "tenant"
ISSUED = Certificate.document.is_not(None)
#: The platform's round that stores each certificate as a file.
FILING = "certificates.file"
METHOD = {
    "standard": "NIST SP 800-88 Rev. 2",
    "technique": "cryptographic erase: the keys were destroyed, and what they sealed stays unreadable in every copy",
    "cipher": "AES-256-GCM, keys of 256 bits derived by HKDF-SHA-256",
}
COVERED = (
    "the tenant's tables and files here",
    (
        "every copy of the tenant's tables and files, whenever it was made: what is sealed in it opens with no key of the"
        " catalog any more"
    ),
    (
        "every backup of this installation, whenever it was taken: none holds a key of the tenant, and the keyring beside"
        " them, which did, holds these no more"
    ),
)
OF_CATALOG = (
    "Copies of the catalog that were made otherwise than by this installation's backups hold the wrapped keys. These"
    " open with the key of keys of their time alone, and with none once that is destroyed. Whoever runs this"
    " installation keeps such copies no longer than this."
)
IN_BACKUPS = (
    "Backups from before hold what is not sealed, encrypted under the key of their day. This is the day on which the last"
    " of these keys is destroyed; then no backup from before opens at all."
)
IN_CLEAR = (
    "Copies of the tenant's tables that were made otherwise hold in clear what is not sealed. Whoever runs this"
    " installation keeps such copies no longer than this."
)


@dataclass(frozen=True)
class Issued:
    """A certificate by what its file is named and locked by."""

    id: UUID
    tenant_id: UUID
    issued_at: datetime


class Certificates:
    """The certificates of an installation. `backup_days` is how long whoever runs it keeps copies of the servers.

    `last_end` says on which day the last of the backup keys there are is destroyed.
    """

    def __init__(
        self, catalog: Catalog, wrapping: Wrapping, backup_days: int, last_end: Callable[[], date]
    ) -> None:
        self._catalog, self._wrapping, self._backup_days = catalog, wrapping, backup_days
        self._last_end = last_end

    def begin(self, tenant_id: UUID, subject: str, inventory: Mapping[str, Any]) -> None:
        """Put on record what is about to be destroyed; until it is issued, what is said last counts."""
        said = {"inventory": dict(inventory), "begun_at": now()}
        row = insert(Certificate).values(id=new_id(), tenant_id=tenant_id, subject=subject, **said)
        again = row.on_conflict_do_update(
            index_elements=["tenant_id", "subject"], set_=said, where=Certificate.document.is_(None)
        )
        with self._catalog.transaction() as session:
            session.execute(again)

    def issue(self, tenant_id: UUID, subject: str, **said: Any) -> dict[str, Any]:
        """Sign what was destroyed; one that was issued is given again. Raises KeyWithheld."""
        private, public = self._signing_key()
        same = (Certificate.tenant_id == tenant_id, Certificate.subject == subject)
        with self._catalog.transaction() as session:
            row = session.scalars(select(Certificate).where(*same).with_for_update()).one()
            if row.document is None or row.signature is None:
                row.issued_at = now()
                remains = self._remains(row, row.issued_at)
                row.document = _document(row, row.issued_at, remains, said)
                row.signature = sign(private, row.document)
                ask_for_round(session, FILING)
            return as_file(row.document, row.signature, public)

    def of(self, tenant_id: UUID) -> list[dict[str, Any]]:
        """Every certificate that was issued for a tenant, oldest first."""
        return self._issued(Certificate.tenant_id == tenant_id)

    def one(self, certificate_id: UUID) -> dict[str, Any]:
        """A certificate that was issued."""
        (found,) = self._issued(Certificate.id == certificate_id)
        return found

    def issued(self) -> list[Issued]:
        """All that were issued, of all tenants, oldest first."""
        columns = select(Certificate.id, Certificate.tenant_id, Certificate.issued_at)
        with self._catalog.transaction() as session:
            rows = session.execute(columns.where(ISSUED).order_by(Certificate.id))
            return [Issued(row.id, row.tenant_id, row.issued_at) for row in rows]

    def _issued(self, which: ColumnElement[bool]) -> list[dict[str, Any]]:
        row = self._row()
        public = row.public_key if row and row.public_key else b""
        found = select(Certificate).where(which, ISSUED).order_by(Certificate.id)
        with self._catalog.transaction() as session:
            return [
                as_file(each.document or {}, each.signature or b"", public) for each in session.scalars(found)
            ]

    def public_key(self) -> str:
        """The public half of the key that signs, as base64. Raises KeyWithheld when it has to be made and can't."""
        row = self._row()
        public = row.public_key if row and row.public_key else self._signing_key()[1]
        return base64.b64encode(public).decode()

    def _signing_key(self) -> tuple[bytes, bytes]:
        """The installation's own key, private and public half; made when it is first needed."""
        row = self._row()
        if row is None:
            private, public = new_signing_key()
            wrapped = self._wrapping.current.wrap(private, INSTALLATION[CERTIFICATES])
            self._catalog.keep_installation_key(CERTIFICATES, wrapped, public)
            row = self._row()
        if row is None or row.public_key is None:
            message = "The key that signs certificates was kept and is not there."
            raise RuntimeError(message)
        return self._wrapping.unwrapped_by_house(row.wrapped, INSTALLATION[CERTIFICATES]), row.public_key

    def _remains(self, row: Certificate, issued_at: datetime) -> list[dict[str, str]]:
        """What this certificate does not say is gone yet, and until when (ISO 8601 date)."""
        others = (issued_at + timedelta(days=self._backup_days)).date().isoformat()
        found = [{"what": OF_CATALOG, "until": others}]
        if row.subject == WHOLE:
            found.append({"what": IN_BACKUPS, "until": self._last_end().isoformat()})
            found.append({"what": IN_CLEAR, "until": others})
        return found

    def _row(self) -> InstallationKey | None:
        with self._catalog.transaction() as session:
            return session.get(InstallationKey, CERTIFICATES)


_certificates: list[Certificates] = []


def use_certificates(made: Certificates) -> None:
    """Say once, at start-up, who issues certificates here."""
    _certificates[:] = [made]


def certificates() -> Certificates:
    """Who issues certificates in this process."""
    return _certificates[0]


def _document(
    row: Certificate, issued_at: datetime, remains: list[dict[str, str]], said: Mapping[str, Any]
) -> dict[str, Any]:
    out_of_memory = issued_at + timedelta(seconds=LIFETIME_SECONDS)
    return {
        "id": str(row.id),
        "tenant_id": str(row.tenant_id),
        "subject": row.subject,
        "destroyed": row.inventory,
        "method": METHOD,
        "begun_at": row.begun_at.isoformat(),
        "issued_at": issued_at.isoformat(),
        "keys_out_of_memory_at": out_of_memory.isoformat(),
        "copies_covered": list(COVERED),
        "remains": remains,
        **said,
    }
