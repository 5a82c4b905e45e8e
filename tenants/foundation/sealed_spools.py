"""Holds what is on its way: in memory while it is small, then on this machine's disk, sealed and without a name.

The key is made for one file and lies nowhere: whoever reads the disk, then or later, reads nothing. The cipher (AES in
counter mode) can be read from any place in the file, and says nothing of changes: nobody else can open it.
"""

import io
import secrets
import tempfile
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from tenants.foundation.errors import Unavailable

IN_MEMORY = 500 * 1024
KEY_BYTES = 32
BLOCK_BYTES = 16


def sealed_spool() -> IO[bytes]:
    """An empty file, to be written once, from its start to its end, and then read in any order; closed, it is gone.

    To write raises Unavailable when the disk is full.
    """
    return io.BufferedRandom(_Spool())


class _Spool(io.RawIOBase):
    def __init__(self) -> None:
        self._kept: IO[bytes] = io.BytesIO()
        self._key: bytes | None = None
        self._cipher: CipherContext | None = None
        self._next = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._kept.seek(offset, whence)

    def write(self, data: Any, /) -> int:
        try:
            if self._key is None and self._kept.tell() + len(data) > IN_MEMORY:
                self._go_to_disk()
            return self._kept.write(self._ciphered(bytes(data), self._kept.tell()))
        except OSError as error:
            raise Unavailable(
                "There is no room for this on our side at the moment. Try again later."
            ) from error

    def readinto(self, buffer: Any, /) -> int:
        begin = self._kept.tell()
        found = self._kept.read(len(buffer))
        buffer[: len(found)] = self._ciphered(found, begin)
        return len(found)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._kept.close()

    def _go_to_disk(self) -> None:
        self._kept.seek(0)
        held = memoryview(self._kept.read())
        self._kept = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self._key = secrets.token_bytes(KEY_BYTES)
        while held:
            held = held[self.write(held) :]

    def _ciphered(self, content: bytes, begin: int) -> bytes:
        """What lies on the disk for what is meant, and the other way round."""
        if self._key is None:
            return content
        if self._cipher is None or begin != self._next:
            block, before = divmod(begin, BLOCK_BYTES)
            self._cipher = Cipher(AES(self._key), CTR(block.to_bytes(BLOCK_BYTES))).encryptor()
            self._cipher.update(bytes(before))
        self._next = begin + len(content)
        return self._cipher.update(content)
