"""How hard a password is to guess: zxcvbn's estimate over its lists of leaked passwords, names and words, offline."""

import math
import re
import unicodedata
from collections.abc import Iterable
from threading import Lock

from tenants.foundation.errors import Invalid

SHORTEST, LONGEST = 8, 128
#: Of zxcvbn's 0 to 4: safely unguessable for somebody who stole a slow hash.
LEAST_SCORE = 3
#: Characters besides the names that everybody knows: zxcvbn thinks well of two of those in a row.
LEAST_APART = 6
#: Its work grows with the square of the length; what comes after this many characters makes no password weaker.
LOOKED_AT = 64
#: Signs that stand for letters (4 and @ for a) multiply it: zxcvbn reads a password once for every choice among them.
MOST_READINGS = 12
WEAK = "This is easy to guess. Use more words, or less common ones."
# zxcvbn keeps the words of its caller in a table of the whole process.
_one_at_a_time = Lock()


def normal(password: str) -> str:
    """One spelling for what looks the same on every keyboard (RFC 8265: normalisation form C)."""
    return unicodedata.normalize("NFC", password)


def must_be_strong(password: str, about: Iterable[str | None] = ()) -> None:
    """Raises Invalid for a password that is too short, too long, or easy to guess for who knows these words."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise _refused(f"Between {SHORTEST} and {LONGEST} characters.")
    words = _words(about)
    if len(_apart(password, words)) < LEAST_APART or _score(judged(password), words) < LEAST_SCORE:
        raise _refused(WEAK)


def judged(password: str) -> str:
    """The beginning of a password that its strength is judged by; all of nearly every one.

    What follows it is not looked at, for better or for worse: no password gets weaker by what is added after it.
    """
    from zxcvbn.matching import L33T_TABLE, relevant_l33t_subtable

    first = password[:LOOKED_AT]
    readings = (
        math.prod(map(len, relevant_l33t_subtable(first[:end], L33T_TABLE).values()))
        for end in range(1, len(first) + 1)
    )
    return first[: sum(each <= MOST_READINGS for each in readings)]


def _refused(why: str) -> Invalid:
    return Invalid(f"The password is not good enough: {why}", errors={"password": [why]})


def _score(password: str, words: list[str]) -> int:
    from zxcvbn import matching, zxcvbn  # a list of 100 000 words: loaded when the first password is chosen

    with _one_at_a_time:
        try:
            return int(zxcvbn(password, user_inputs=words)["score"])
        finally:
            matching.RANKED_DICTIONARIES.pop("user_inputs", None)


def _apart(password: str, words: list[str]) -> str:
    """What is left of a password without these words, and what stands between them."""
    left = password.lower()
    for each in sorted(words, key=len, reverse=True):
        left = left.replace(each, "")
    return re.sub(r"[\s._-]+", "", left)


def _words(about: Iterable[str | None]) -> list[str]:
    known = [each.lower() for each in about if each]
    parts = [part for each in known for part in re.split(r"[\W_]+", each) if len(part) > 2]  # noqa: PLR2004
    return list(dict.fromkeys([*known, *parts, "freehold"]))
