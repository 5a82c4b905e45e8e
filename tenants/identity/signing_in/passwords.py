"""Passwords as argon2id hashes (RFC 9106; OWASP's 19 MiB and two passes), a few at a time because of their memory."""

from functools import lru_cache
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tenants.foundation.errors import Invalid

SHORTEST, LONGEST = 10, 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_at_a_time = Semaphore(4)


def hash_of(password: str) -> str:
    """Raises Invalid for a password that is too short, or longer than anybody types."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(errors={"password": [f"Between {SHORTEST} and {LONGEST} characters."]})
    with _at_a_time:
        return _hasher.hash(password)


def fits(password: str, hashed: str | None) -> bool:
    """Whether the password is the one of the hash. Without a hash it takes as long and the answer is no."""
    with _at_a_time:
        try:
            _hasher.verify(hashed or _nobodys(), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return hashed is not None


@lru_cache(1)
def _nobodys() -> str:
    return _hasher.hash("nobody's password")
