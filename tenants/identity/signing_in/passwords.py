"""Passwords as argon2id hashes (RFC 9106; OWASP's 19 MiB and two passes), a few at a time because of their memory."""

from functools import lru_cache
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenants.identity.signing_in.strength import LONGEST, must_be_strong, normal

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_a_time = Semaphore(4)


def hash_of(password: str, *about: str | None) -> str:
    """The hash of a new password. Raises Invalid for a weak one; `about` are words that its owner's guessers know."""
    must_be_strong(normal(password), about)
    with _at_a_time:
        return _hasher.hash(normal(password))


def fits(password: str, hashed: str | None) -> bool:
    """Whether the password is the one of the hash. Without a hash it takes as long and the answer is no."""
    with _at_a_time:
        try:
            _hasher.verify(hashed or _nobodys(), normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None and len(password) <= LONGEST


def renewed(password: str, hashed: str) -> str | None:
    """A password that was just right, hashed again with the parameters of today; None when it is already."""
    if not _hasher.check_needs_rehash(hashed):
        return None
    with _at_a_time:
        return _hasher.hash(normal(password))


@lru_cache(1)
def _nobodys() -> str:
    return _hasher.hash("nobody's password")
