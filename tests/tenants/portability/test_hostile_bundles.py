"""A bundle that was made to do harm is refused in a sentence, by whoever looks at it or brings it in."""

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenants.portability import opening
from tenants.portability.opening import NotABundle
from tenants.portability.verifying import verify

ID = "01a20614-6317-7025-974c-65d209155dd5"
DEEP = "[" * 100_000 + "]" * 100_000
A_LITTLE_DEEP = "[" * 600 + "1.5" + "]" * 600
Change = Callable[[dict[str, Any]], None]


def made(
    folder: Path, value: str, kind: dict[str, Any], format_: str = "csv", change: Change = lambda _said: None
) -> Path:
    """A bundle of one table with one value in it, besides its key; `change` is for the description."""
    quoted = value.replace('"', '""')
    rows = f'id,value\r\n{ID},"{quoted}"\r\n' if format_ == "csv" else f'{{"id":"{ID}","value":{value}}}\n'
    content, path = rows.encode(), f"data/things.{format_}"
    fields = [{"name": "id", "type": "string", "format": "uuid"}, {"name": "value", **kind}]
    said = {
        "freehold": {
            "version": 1, "format": format_, "schemaRevision": "0001", "snapshotAt": "2026-11-23",
            "tenant": {"id": ID, "slug": "acme", "name": "Acme"},
        },
        "resources": [
            {
                "name": "things", "path": path, "bytes": len(content), "rows": 1,
                "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
                "schema": {"fields": fields, "missingValues": ["\\N"], "primaryKey": ["id"]},
            }
        ],
    }  # fmt: skip
    change(said)
    return zipped(folder, {path: content, "datapackage.json": json.dumps(said).encode()})


def zipped(folder: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file := folder / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


JSON = {"type": "any", "contentMediaType": "application/json"}
LIST, TEXT = {"type": "array"}, {"type": "string"}


@pytest.mark.parametrize(
    ("value", "kind", "format_"),
    [
        (DEEP, JSON, "csv"),
        (DEEP, LIST, "csv"),
        (DEEP, JSON, "jsonl"),
        (A_LITTLE_DEEP, JSON, "csv"),
        (A_LITTLE_DEEP, JSON, "jsonl"),
        ("[[1]]", LIST, "csv"),
        ('["\\ud800"]', LIST, "csv"),
        ('["\\u0000"]', LIST, "csv"),
        ('"\\ud800"', TEXT, "jsonl"),
        ('{"a": "\\ud800"}', JSON, "jsonl"),
        ("9" * 5000, JSON, "csv"),
        ("1e99999999999999999999", JSON, "jsonl"),
    ],
)
def test_a_value_that_no_table_could_hold_is_found_by_whoever_looks(
    tmp_path: Path, value: str, kind: dict[str, Any], format_: str
) -> None:
    report = verify(made(tmp_path, value, kind, format_))
    assert not report.holds
    assert report.findings[0].file == f"data/things.{format_}"
    assert verify(made(tmp_path, '["fine"]', kind, format_)).holds or kind is TEXT


def _name(place: str) -> Change:
    def change(said: dict[str, Any]) -> None:
        (table,) = said["resources"]
        if place == "field":
            table["schema"]["fields"][1]["name"] = "\x1b]52;c;cm0gLXJm\x07"
        elif place in table:
            table[place] = "\x1b[2J"
        elif place == "missing":
            said["missingFiles"] = ["\u202e"]
        else:
            said["freehold"]["tenant"][place] = "\x1b[31macme"

    return change


@pytest.mark.parametrize("place", ["slug", "id", "name", "path", "field", "missing"])
def test_no_word_of_a_bundle_gives_orders_to_the_terminal_that_shows_it(tmp_path: Path, place: str) -> None:
    with pytest.raises(NotABundle, match="can't be printed") as refused:
        verify(made(tmp_path, "fine", TEXT, change=_name(place)))
    assert str(refused.value).isprintable()


def _constraints(said: dict[str, Any]) -> None:
    said["resources"][0]["schema"]["fields"][1]["constraints"] = ["none"]


def test_a_description_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "DESCRIPTOR_BYTES", 300_000)
    with pytest.raises(NotABundle, match="constraints of a field"):
        verify(made(tmp_path, "fine", TEXT, change=_constraints))
    for content in (DEEP.encode(), b"[" + b"{}," * 110_000 + b"{}]"):
        with pytest.raises(NotABundle, match=r"datapackage\.json"):
            verify(zipped(tmp_path, {"datapackage.json": content}))


#: Where the list of a zip has the version that is needed, and the flags (APPNOTE 4.3.12).
IN_LIST = {"a later version": (6, 99), "sealed lists": (8, 0x40), "patches": (8, 0x20), "encrypted": (8, 0x1)}


@pytest.mark.parametrize(("at", "number"), IN_LIST.values(), ids=IN_LIST.keys())
def test_a_zip_of_another_kind_is_refused_in_a_sentence(tmp_path: Path, at: int, number: int) -> None:
    file = made(tmp_path, "fine", TEXT)
    content = bytearray(file.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\1\2") + at, number)
    file.write_bytes(content)
    with pytest.raises(NotABundle):
        verify(file)


def test_a_description_with_damaged_bytes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = made(tmp_path, "fine", TEXT)
    content = bytearray(file.read_bytes())
    begin = content.index(b"datapackage.json") + len(b"datapackage.json")
    content[begin : begin + 10] = b"\xff" * 10
    file.write_bytes(content)
    with pytest.raises(NotABundle, match="can't be read"):
        verify(file)
