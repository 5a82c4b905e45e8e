"""Reads the rows of a bundle's table, CSV or JSON Lines, as the one text that every value has."""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

from tenants.portability.columns import BOOLEAN, UNREADABLE, WHOLE, Field, read_json
from tenants.portability.descriptor import MISSING
from tenants.portability.formats import Format

LONGEST_LINE = 64 * 1024 * 1024
Values = list[str | None]
QUOTED_MISSING = re.compile(r'(^|,)"\\N"(?=[,\r\n]|$)')
#: Stands for a text that is `\N`: in quotes, which a CSV reader does not tell. No text holds a NUL.
REALLY = f"{MISSING}\0"


class Unreadable(Exception):
    """A file that can't be read beyond this row; the message says why."""

    def __init__(self, row: int, text: str) -> None:
        super().__init__(text)
        self.row = row


class Measured:
    """A file of the bundle, read line by line or whole; it counts and hashes what went through."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._hash = stream, hashlib.sha256()
        self.size = 0

    def lines(self) -> Iterator[bytes]:
        while line := self._stream.readline(LONGEST_LINE):
            self._hash.update(line)
            self.size += len(line)
            yield line

    def chunks(self) -> Iterator[bytes]:
        while chunk := self._stream.read(1 << 20):
            self._hash.update(chunk)
            self.size += len(chunk)
            yield chunk

    def to_the_end(self) -> None:
        for _ in self.chunks():
            continue

    def sha256(self) -> str:
        return self._hash.hexdigest()


def rows_of(fields: Sequence[Field], format_: Format, lines: Iterable[bytes]) -> Iterator[tuple[int, Values]]:
    """Each row's number, and its values in the order of the fields. Raises Unreadable."""
    return _csv_rows(fields, lines) if format_ is Format.CSV else _json_rows(fields, lines)


def _csv_rows(fields: Sequence[Field], lines: Iterable[bytes]) -> Iterator[tuple[int, Values]]:
    """The header is row 1, as a spreadsheet counts."""
    reader = csv.reader(_marked(lines), strict=True)
    # The limit is the process's, and reading an import wants another one.
    csv.field_size_limit(LONGEST_LINE)
    number, width = 1, len(fields)
    try:
        header = next(reader, None)
        if header != [each.name for each in fields]:
            raise Unreadable(1, "the header does not name the fields of the schema")
        for number, row in enumerate(reader, start=2):
            if len(row) != width:
                raise Unreadable(number, f"has {len(row)} values instead of {width}")
            yield number, [None if each == MISSING else MISSING if each == REALLY else each for each in row]
    except csv.Error as error:
        raise Unreadable(number + 1, f"can't be read: {error}") from error


def _marked(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines for the CSV reader. A quote behind a comma opens a field, because quotes inside one are doubled."""
    for number, line in enumerate(lines, start=1):
        text = _decoded(line, number)
        if "\0" in text:
            raise Unreadable(number, "holds a NUL character")
        yield QUOTED_MISSING.sub(_really, text) if '"\\N"' in text else text


def _really(found: re.Match[str]) -> str:
    return f'{found[1]}"{REALLY}"'


def _json_rows(fields: Sequence[Field], lines: Iterable[bytes]) -> Iterator[tuple[int, Values]]:
    names = {each.name for each in fields}
    for number, line in enumerate(lines, start=1):
        try:
            row = read_json(_decoded(line, number))
            if not isinstance(row, dict) or row.keys() != names:
                raise Unreadable(number, "does not have the fields of the schema")
            values = [_text_of(each, row[each.name], number) for each in fields]
        except UNREADABLE as error:
            raise Unreadable(number, f"is not JSON that can be read: {error}") from error
        yield number, values


def _text_of(field: Field, value: Any, number: int) -> str | None:
    if value is None:
        return None
    if field.kind.document:
        text = canonical(value)
        text.encode()
        return text
    if isinstance(value, bool):
        fits, text = field.kind is BOOLEAN, str(value).lower()
    elif isinstance(value, int):
        fits, text = field.kind is WHOLE, str(value)
    else:
        fits, text = isinstance(value, str) and field.kind not in (BOOLEAN, WHOLE), str(value)
    if not fits:
        raise Unreadable(number, f"{field.name} is no {field.kind.name}")
    return text


def canonical(document: Any) -> str:
    """A document with one order of keys and no spacing, its numbers digit for digit what they were."""
    try:
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except TypeError:
        # The library has no way to write a Decimal as a number.
        return _exact(document)


def _exact(document: Any) -> str:
    if isinstance(document, dict):
        return "{" + ",".join(f"{canonical(key)}:{_exact(document[key])}" for key in sorted(document)) + "}"
    if isinstance(document, list):
        return "[" + ",".join(map(_exact, document)) + "]"
    return str(document) if isinstance(document, Decimal) else canonical(document)


def _decoded(line: bytes, number: int) -> str:
    if len(line) == LONGEST_LINE:
        raise Unreadable(number, "is longer than any row can be")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Unreadable(number, "is not UTF-8") from None
