"""The register of what a tenant can take along: every table and field of a bundle, and what stays behind and why.

It is made from the same declarations as the bundles themselves, so that the two can't differ, and holds no data.
"""

from functools import cache
from typing import Any

from tenants.portability.contents import BundleTable, left_out, tables
from tenants.portability.descriptor import MEDIA_TYPES, VERSION, table_schema
from tenants.portability.formats import Format
from tenants.provisioning.revisions import head

#: What a program has to know to read a bundle that has never heard of us.
STANDARDS = (
    ("Frictionless Data Package 1", "https://specs.frictionlessdata.io/data-package/"),
    ("Frictionless Table Schema 1", "https://specs.frictionlessdata.io/table-schema/"),
    ("ZIP", "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"),
    ("CSV, RFC 4180", "https://www.rfc-editor.org/rfc/rfc4180"),
    ("JSON Lines", "https://jsonlines.org/"),
    ("Apache Parquet", "https://parquet.apache.org/docs/file-format/"),
    ("SQLite 3", "https://www.sqlite.org/fileformat2.html"),
    ("age", "https://age-encryption.org/v1"),
)
FILES = "Files of attachments are in every bundle of everything, under files/<id>/<name>, byte for byte as they came."
OWN_FIELDS = (
    "The fields that a workspace made for itself are described in its table custom_fields; their values are in the"
    " documents named custom."
)


@cache
def structure() -> dict[str, Any]:
    """All of it, worked out once."""
    return {
        "bundle_version": VERSION,
        "schema_revision": head(),
        "formats": [
            {"name": each, "media_type": MEDIA_TYPES[each], "brought_back": each.restorable}
            for each in Format
        ],
        "standards": [{"name": name, "url": url} for name, url in STANDARDS],
        "files": FILES,
        "own_fields": OWN_FIELDS,
        "tables": [_described(each) for each in tables()],
        "left_out": [
            {"table": each.table, "fields": list(each.columns), "reason": each.reason} for each in left_out()
        ],
    }


def _described(table: BundleTable) -> dict[str, Any]:
    return {"name": table.name, "purpose": table.purpose, "schema": table_schema(table)}
