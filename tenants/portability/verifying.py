"""Checks a bundle without a server: every file, hash, count, value, key and relation in it."""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from tenants.portability.columns import Field
from tenants.portability.content import ContentHash
from tenants.portability.described import Described, DescribedFile, DescribedTable
from tenants.portability.descriptor import DESCRIPTOR
from tenants.portability.files import ExpectedFiles
from tenants.portability.keys import Keys
from tenants.portability.opening import OpenBundle, opened_bundle
from tenants.portability.rows import Measured, Unreadable, rows_of
from tenants.portability.telling import Told, to_nobody

ENOUGH = 100
TELL_EVERY = 5000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, and where; `row` counts as a spreadsheet does in CSV, and lines in JSON Lines."""

    file: str
    row: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.text}." if self.row else f"{self.file}: {self.text}."


@dataclass
class Report:
    """What was looked at and what is wrong with it; an empty `findings` means that the bundle holds."""

    described: Described
    rows: dict[str, int] = field(default_factory=dict)
    content: dict[str, str] = field(default_factory=dict)
    """The content hash of each table, without the fields that name the tenant itself."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows_read(self) -> bool:
        """Whether values, keys and relations were looked at; of Parquet and SQLite it is sizes and hashes alone."""
        return self.described.format.restorable

    @property
    def holds(self) -> bool:
        return not self.findings


def verify(path: Path, tell: Told = to_nobody) -> Report:
    """Look at everything; at most a hundred findings. Raises NotABundle for a file that is no bundle at all."""
    with opened_bundle(path) as bundle:
        return verify_open(bundle, tell)


def verify_open(bundle: OpenBundle, tell: Told = to_nobody) -> Report:
    """Likewise, of a bundle that is open already."""
    report = Report(bundle.described)
    report.findings.extend(islice(_Verification(bundle, report, tell).findings(), ENOUGH))
    return report


class _Verification:
    def __init__(self, bundle: OpenBundle, report: Report, tell: Told) -> None:
        self._bundle, self._report, self._tell = bundle, report, tell
        self._keys = Keys(bundle.described.tables)
        self._attached = ExpectedFiles(bundle.described)
        self._rows = 0

    def findings(self) -> Iterator[Finding]:
        described, there = self._bundle.described, self._bundle.files.keys()
        expected = {each.file.path for each in described.tables} | {each.path for each in described.others}
        for path in sorted(there - expected - {DESCRIPTOR}):
            yield Finding(path, None, "datapackage.json knows no such file")
        for path in sorted(expected - there):
            yield Finding(path, None, "is missing from the zip")
        for table in described.tables:
            if table.file.path in there:
                yield from self._file(table.file, table)
        for other in described.others:
            if other.path in there:
                yield from self._file(other, None)
        yield from self._loose_ends()

    def _loose_ends(self) -> Iterator[Finding]:
        for table, row, text in self._keys.unresolved():
            yield Finding(table.file.path, row, text)
        for path in self._attached.unclaimed():
            yield Finding(path, None, "belongs to no attachment")

    def _file(self, said: DescribedFile, table: DescribedTable | None) -> Iterator[Finding]:
        """What is wrong with a file's rows, and whether size and hash are the ones that the description has."""
        if self._bundle.files[said.path].file_size != said.bytes:
            yield Finding(said.path, None, f"should have {said.bytes} bytes")
        with self._bundle.open(said.path) as stream:
            file = Measured(stream)
            try:
                if table and self._bundle.described.format.restorable:
                    yield from self._table(table, file)
                file.to_the_end()
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                yield Finding(said.path, None, f"is damaged: {error}")
                return
        if file.sha256() != said.sha256:
            yield Finding(said.path, None, "was altered: its SHA-256 is not the one in datapackage.json")

    def _table(self, table: DescribedTable, file: Measured) -> Iterator[Finding]:
        content = ContentHash(table.fields, table.names_tenant)
        keys, file_of = self._keys.look_at(table), self._attached.look_at(table)
        try:
            for number, values in rows_of(table.fields, self._bundle.described.format, file.lines()):
                wrong = [
                    text
                    for each, value in zip(table.fields, values, strict=True)
                    if (text := _wrong(each, value))
                ]
                for text in wrong or chain(keys.wrong_with(number, values), file_of(values)):
                    yield Finding(table.file.path, number, text)
                if not wrong:
                    content.add(values)
                self._count(table.name)
        except Unreadable as error:
            yield Finding(table.file.path, error.row, str(error))
            return
        except RecursionError:
            yield Finding(
                table.file.path, None, "holds a document that is nested deeper than anything of ours"
            )
            return
        self._report.rows[table.name], self._report.content[table.name] = content.rows, content.hexdigest()
        if content.rows != table.rows:
            yield Finding(
                table.file.path, None, f"has {content.rows} good rows, and should have {table.rows}"
            )

    def _count(self, table: str) -> None:
        self._rows += 1
        if self._rows % TELL_EVERY == 0:
            self._tell(table, self._rows)


def _wrong(field_: Field, value: str | None) -> str | None:
    text = field_.wrong_with(value)
    return f"{field_.name} {text}" if text else None
