"""Reads uploaded files as tables, and says in a sentence when one is none."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from tenants.foundation.errors import Invalid
from tenants.http.texts import LONGEST

CHUNK = 1024 * 1024
HEAD = 256 * 1024
MOST_COLUMNS = 500
LONGEST_CELL = LONGEST
LONGEST_NAME = 200
DELIMITERS = ",;\t|"
SAVE_AS_CSV = "Save it as CSV (comma-separated, UTF-8) and send that."
SIGNATURES = {
    b"PK\x03\x04": f"This is a workbook or an archive, not a table of text. {SAVE_AS_CSV}",
    b"\xd0\xcf\x11\xe0": f"This is an old Excel or Word document, not a table of text. {SAVE_AS_CSV}",
    b"%PDF": f"This is a PDF, not a table of text. {SAVE_AS_CSV}",
    b"\x1f\x8b": f"This file is compressed. Unpack it first. {SAVE_AS_CSV}",
    b"\xff\xfe": f"This file is UTF-16. {SAVE_AS_CSV}",
    b"\xfe\xff": f"This file is UTF-16. {SAVE_AS_CSV}",
    b"<": f"This is a web page or XML, not a table. {SAVE_AS_CSV}",
    b"{": f"This is JSON, not a table. {SAVE_AS_CSV}",
    b"[": f"This is JSON, not a table. {SAVE_AS_CSV}",
}


@dataclass(frozen=True, slots=True)
class Form:
    """How the text of a file is a table."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]


def form_of(file: IO[bytes]) -> Form:
    """How to read a file, after looking at all of its bytes and reading its first lines. The file is at its start again.

    Raises Invalid with a sentence when it is no table.
    """
    head = file.read(HEAD)
    _refuse_signature(head)
    file.seek(0)
    encoding = _encoding(file)
    file.seek(0)
    delimiter = _delimiter(head.decode(encoding, "ignore"))
    rows = read_rows(_chunks(file), encoding, delimiter)
    header = next(rows, None)
    if header is None:
        raise _refusal("The file is empty.")
    form = Form(encoding, delimiter, _checked_header(header))
    if next(rows, None) is None:
        raise _refusal("The file has a header and no rows.")
    file.seek(0)
    return form


def read_rows(chunks: Iterable[bytes], encoding: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a table, the header first, without those that are blank. Raises Invalid where the file is broken."""
    lines = io.TextIOWrapper(io.BufferedReader(_Stream(chunks), CHUNK), encoding=encoding, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    # The limit is the process's, and reading a bundle wants another one.
    csv.field_size_limit(LONGEST_CELL)
    try:
        for row in reader:
            if row:
                yield row
    except csv.Error as error:
        raise _refusal(_sentence(str(error), reader.line_num)) from None
    except UnicodeDecodeError:
        raise _refusal(f"Line {reader.line_num + 1} holds bytes that are no text in {encoding}.") from None


class _Stream(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._left = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        taken = min(len(buffer), len(self._left))
        buffer[:taken], self._left = self._left[:taken], self._left[taken:]
        return taken


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _refuse_signature(head: bytes) -> None:
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise _refusal("The file is empty.")
    for signature, sentence in SIGNATURES.items():
        if start.startswith(signature):
            raise _refusal(sentence)


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 when all of it is; else what older spreadsheets of the West write, Windows-1252, when it can be that."""
    whole, start = codecs.getincrementaldecoder("utf-8")(), b""
    western = codecs.getincrementaldecoder("cp1252")()
    is_whole = is_western = True
    for chunk in _chunks(file):
        start = start or chunk[:3]
        if b"\0" in chunk:
            raise _refusal(f"The file holds NUL bytes: it is no text. {SAVE_AS_CSV}")
        is_whole = is_whole and _decodes(whole, chunk)
        is_western = is_western and (is_whole or _decodes(western, chunk))
    if is_whole and _decodes(whole, b"", final=True):
        return "utf-8-sig" if start == codecs.BOM_UTF8 else "utf-8"
    if is_western:
        return "cp1252"
    raise _refusal(f"The text is neither UTF-8 nor Windows-1252. {SAVE_AS_CSV}")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """The sign that parts the header, outside of quotes, into most columns."""
    first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    parted = {sign: len(next(csv.reader([first], delimiter=sign), [])) for sign in DELIMITERS}
    return max(DELIMITERS, key=lambda sign: parted[sign])


def _checked_header(cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() or f"Column {number}" for number, cell in enumerate(cells, 1))
    if len(names) > MOST_COLUMNS:
        raise _refusal(f"The file has {len(names)} columns; at most {MOST_COLUMNS} are read.")
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise _refusal(f"Two columns have the same name: {', '.join(doubled)}. Give each a name of its own.")
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise _refusal("The first line does not look like the names of columns.")
    return names


def _sentence(error: str, line: int) -> str:
    if "field limit" in error:
        return f"Line {line} holds a cell of more than {LONGEST_CELL} characters, or a quote that is never closed."
    if "new-line" in error:
        return f"Line {line} ends in a way that tables don't. {SAVE_AS_CSV}"
    return f"The quotes on line {line} don't fit: a quote inside a quoted cell is written twice, and each has its end."


def _refusal(sentence: str) -> Invalid:
    return Invalid(sentence, errors={"file": [sentence]}, code="not_a_table")
