"""What a file is by its first bytes, whatever its name and its sender say."""

from codecs import getincrementaldecoder
from typing import NamedTuple

LOOKED_AT = 1024
UTF8 = getincrementaldecoder("utf-8")
ZIP = "application/zip"
UNKNOWN = "application/octet-stream"
#: A browser that showed these would run what is in them; they are sent as bytes of no kind.
ACTIVE = frozenset({"text/html", "image/svg+xml", "application/xml", "application/xhtml+xml"})
WHITE = b"\xef\xbb\xbf \t\r\n\f"
TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Magic(NamedTuple):
    """Bytes that a kind of file has at one place, and perhaps others further on."""

    media_type: str
    mark: bytes
    at: int = 0
    then: bytes = b""
    then_at: int = 0

    def fits(self, start: bytes) -> bool:
        return start.startswith(self.mark, self.at) and start.startswith(self.then, self.then_at)


OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
OFFICE_OPEN = "application/vnd.openxmlformats-officedocument."
#: Zips whose first file is stored as it is, and holds the media type (OpenDocument 1.3, part 2, 3.3; EPUB OCF).
NAMED_IN_ZIP = (
    *(f"{OPEN_DOCUMENT}{each}" for each in ("text", "spreadsheet", "presentation", "graphics")),
    "application/epub+zip",
)
#: Zips of Office Open XML, by the folder of their parts.
PARTS_IN_ZIP = (
    (b"word/", f"{OFFICE_OPEN}wordprocessingml.document"),
    (b"ppt/", f"{OFFICE_OPEN}presentationml.presentation"),
    (b"xl/", f"{OFFICE_OPEN}spreadsheetml.sheet"),
)
#: The first that fits decides, so that a special case stands before the general one.
MAGIC = (
    Magic("application/pdf", b"%PDF-"),
    Magic("image/png", b"\x89PNG\r\n\x1a\n"),
    Magic("image/jpeg", b"\xff\xd8\xff"),
    Magic("image/gif", b"GIF87a"),
    Magic("image/gif", b"GIF89a"),
    Magic("image/webp", b"RIFF", 0, b"WEBP", 8),
    Magic("audio/wav", b"RIFF", 0, b"WAVE", 8),
    Magic("video/x-msvideo", b"RIFF", 0, b"AVI ", 8),
    Magic("image/tiff", b"II*\0"),
    Magic("image/tiff", b"MM\0*"),
    Magic("image/bmp", b"BM", 0, b"\0\0\0\0", 6),
    Magic("image/heic", b"ftypheic", 4),
    Magic("image/heic", b"ftypmif1", 4),
    Magic("image/avif", b"ftypavif", 4),
    Magic("video/quicktime", b"ftypqt  ", 4),
    Magic("audio/mp4", b"ftypM4A", 4),
    Magic("video/mp4", b"ftyp", 4),
    Magic("audio/mpeg", b"ID3"),
    Magic("audio/mpeg", b"\xff\xfb"),
    Magic("audio/flac", b"fLaC"),
    Magic("audio/ogg", b"OggS"),
    Magic("video/webm", b"\x1a\x45\xdf\xa3"),
    *(Magic(each, b"PK\3\4", 0, b"mimetype" + each.encode(), 30) for each in NAMED_IN_ZIP),
    Magic(ZIP, b"PK\3\4"),
    Magic(ZIP, b"PK\5\6"),
    Magic("application/gzip", b"\x1f\x8b\x08"),
    Magic("application/x-bzip2", b"BZh"),
    Magic("application/x-xz", b"\xfd7zXZ\0"),
    Magic("application/zstd", b"\x28\xb5\x2f\xfd"),
    Magic("application/x-7z-compressed", b"7z\xbc\xaf\x27\x1c"),
    Magic("application/vnd.rar", b"Rar!\x1a\x07"),
    Magic("application/x-ole-storage", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    Magic("application/rtf", b"{\\rtf"),
    Magic("application/vnd.sqlite3", b"SQLite format 3\0"),
    Magic("application/vnd.microsoft.portable-executable", b"MZ"),
    Magic("application/x-elf", b"\x7fELF"),
    Magic("application/x-mach-binary", b"\xcf\xfa\xed\xfe"),
)  # fmt: skip
#: By the first word of a text, in small letters, whatever white space is before it.
WORDS = (
    ("text/html", (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<!--")),
    ("image/svg+xml", (b"<svg",)),
    ("application/xml", (b"<?xml",)),
    ("text/vcard", (b"begin:vcard",)),
    ("text/calendar", (b"begin:vcalendar",)),
)


def sniffed(start: bytes) -> str:
    """The media type of a file that begins with these bytes: some kibibytes, or all of a smaller one."""
    found = next((each.media_type for each in MAGIC if each.fits(start)), None)
    if found is not None:
        return _office(start) or found if found == ZIP else found
    words = start.lstrip(WHITE).lower()
    for media_type, openings in WORDS:
        if words.startswith(openings):
            return "image/svg+xml" if media_type == "application/xml" and b"<svg" in words else media_type
    return "text/plain" if _is_text(start[:LOOKED_AT]) else UNKNOWN


def _office(start: bytes) -> str | None:
    """The kind of document, when it is one in a zip: its list of contents comes first, its parts follow."""
    parts = b"[Content_Types].xml" in start or b"_rels/.rels" in start
    return next((each for folder, each in PARTS_IN_ZIP if parts and folder in start), None)


#: All that a look at the first bytes can come to, less what could run.
SENT = frozenset(
    {
        "text/plain",
        *(each.media_type for each in MAGIC),
        *(each for _, each in PARTS_IN_ZIP),
        *(each for each, _ in WORDS),
    }
    - ACTIVE
)


def sent_as(media_type: str) -> str:
    """What a download says it is: nothing that a browser could run, nor what a bundle may have brought as a type."""
    return media_type if media_type in SENT else UNKNOWN


def _is_text(start: bytes) -> bool:
    if start.startswith(BYTE_ORDER_MARKS):
        return True
    if any(each < ord(" ") and each not in TEXT_CONTROLS for each in start):
        return False
    try:
        # A character may be cut in two at the end.
        UTF8().decode(start, final=len(start) < LOOKED_AT)
    except UnicodeDecodeError:
        return False
    return True
