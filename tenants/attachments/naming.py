"""What a file may be called: one line that shows all that is in it, and fits every file system."""

import re
import unicodedata

#: What most file systems take for one name, in bytes of UTF-8.
LONGEST = 255
LONGEST_ENDING = 20
NAMELESS = "file"
SEPARATORS = re.compile(r"[/\\]")
#: Reserved by Windows (Naming Files, Paths, and Namespaces); whoever downloads it may be there.
RESERVED = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def clean_name(claimed: str) -> str:
    """The name without a folder, in one line, without invisible marks, cut to 255 bytes before its ending."""
    name = SEPARATORS.split(claimed)[-1]
    name = unicodedata.normalize("NFC", _one_line(name)).translate(RESERVED)
    # Neither at the end for Windows, nor alone for anybody.
    return _cut(name.strip().rstrip(". ")) or NAMELESS


def is_clean(name: str) -> bool:
    """Whether a name can be used as it is."""
    return clean_name(name) == name


def _one_line(name: str) -> str:
    """Only what can be seen: a mark that turns the direction of writing would hide the true ending of a name."""
    spaced = "".join(" " if each.isspace() else each for each in name)
    return " ".join("".join(each for each in spaced if each.isprintable()).split())


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = LONGEST - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + ending
