"""How hard a password is to guess: zxcvbn's estimate over its lists of leaked passwords, names and words, offline."""

import re
import unicodedata
from collections.abc import Iterable
from threading import Lock

from tenants.foundation.errors import Invalid

SHORTEST, LONGEST = 8, 128
#: Of zxcvbn's 0 to 4: safely unguessable for somebody who stole a slow hash.
LEAST_SCORE = 3
#: Its work grows with the square of the length; what comes after this many characters makes no password weaker.
LOOKED_AT = 64
WEAK = "This is easy to guess. Use more words, or less common ones."
# zxcvbn keeps the words of its caller in a table of the whole process.
_one_at_a_time = Lock()


def normal(password: str) -> str:
    """One spelling for what looks the same on every keyboard (RFC 8265: normalisation form C)."""
    return unicodedata.normalize("NFC", password)


def must_be_strong(password: str, about: Iterable[str | None] = ()) -> None:
    """Raises Invalid for a password that is too short, too long, or easy to guess for who knows these words."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(errors={"password": [f"Between {SHORTEST} and {LONGEST} characters."]})
    if _score(password[:LOOKED_AT], _words(about)) < LEAST_SCORE:
        raise Invalid(errors={"password": [WEAK]})


def _score(password: str, words: list[str]) -> int:
    from zxcvbn import matching, zxcvbn  # a list of 100 000 words: loaded when the first password is chosen

    with _one_at_a_time:
        try:
            return int(zxcvbn(password, user_inputs=words)["score"])
        finally:
            matching.RANKED_DICTIONARIES.pop("user_inputs", None)


def _words(about: Iterable[str | None]) -> list[str]:
    known = [each.lower() for each in about if each]
    parts = [part for each in known for part in re.split(r"[\W_]+", each) if len(part) > 2]  # noqa: PLR2004
    return list(dict.fromkeys([*known, *parts, "freehold"]))
