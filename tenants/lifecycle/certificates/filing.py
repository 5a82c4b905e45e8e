"""Stores each certificate as a file too, in the storage of its tenant's region, locked where the bucket has Object Lock.

The catalog's row is the certificate; the file is found by it. So a round writes whatever is not there: what was issued
since, what a killed writer left unwritten, and what storage lost.
"""

import json
from collections import defaultdict
from datetime import timedelta

import structlog

from tenants.isolation.storage import Lasting, Storage, StorageFailed
from tenants.lifecycle.certificates.issuing import Certificates, Issued

FOLDER = "certificates/"
#: 45 CFR 164.316(b)(2)(i), as of 2026-11-23: what has to be documented is kept for six years from the day on which it was
#: made. It is the longest that we know of for a record of destruction; here with the leap days.
LOCKED_FOR = timedelta(days=6 * 365 + 2)
log = structlog.get_logger(__name__)


def name_of(issued: Issued) -> str:
    return f"{FOLDER}{issued.tenant_id}/{issued.id}.json"


def file_what_is_missing(certificates: Certificates, storage: Storage) -> int:
    """Write the certificates of which there is no file; how many that were. Storage that fails holds up no other.

    Of two that do so at once both write the same.
    """
    made = 0
    for lasting, issued in _by_place(certificates, storage).items():
        try:
            there = lasting.names(FOLDER)
            for each in issued:
                if name_of(each) not in there:
                    _keep(certificates, lasting, each)
                    made += 1
        except StorageFailed as error:
            log.warning("certificates_not_filed", reason=str(error))
    return made


def _by_place(certificates: Certificates, storage: Storage) -> dict[Lasting, list[Issued]]:
    found: dict[Lasting, list[Issued]] = defaultdict(list)
    for each in certificates.issued():
        try:
            found[storage.lasting_of(each.tenant_id)].append(each)
        except StorageFailed as error:
            log.warning("certificate_not_filed", certificate=str(each.id), reason=str(error))
    return found


def _keep(certificates: Certificates, lasting: Lasting, issued: Issued) -> None:
    """As `freehold certificate show` prints it."""
    content = json.dumps(certificates.one(issued.id), indent=2) + "\n"
    lasting.keep(name_of(issued), content.encode(), issued.issued_at + LOCKED_FOR)
