"""A load generator that costs little: 16 kept-alive connections, each asking again as soon as it is answered.

It runs in a process of its own, so that its work is not counted as the server's:
`python -m bench.load PORT SECONDS CONNECTIONS REQUESTS.json` prints one JSON object.
"""

import itertools
import json
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles

PATIENCE = 15
"""Seconds without any answer after which the server counts as stuck."""
ROOM = 1 << 20


@dataclass
class Sample:
    """What was seen; `answers` came within the time, `all_answers` counts also those under way at its end."""

    seconds: float
    answers: int = 0
    all_answers: int = 0
    errors: int = 0
    first_error: str = ""
    bytes_read: int = 0
    processor_ms: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    def percentile_ms(self, percent: int) -> float:
        return quantiles(self.latencies, n=100)[percent - 1] * 1000 if len(self.latencies) > 1 else 0.0


class Connection:
    """One socket and the answer that is arriving on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bytes = bytearray(ROOM)
        self._view = memoryview(self._bytes)
        self._filled = 0
        self._length = 0
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        self._filled = self._length = 0
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def has_answer(self) -> bool:
        """Reads what is there and says whether the answer is complete."""
        count = self.socket.recv_into(self._view[self._filled :])
        if count == 0:
            raise ConnectionError("The server closed a connection in the middle.")
        self._filled += count
        if self._length == 0:
            self._length = self._length_of_answer()
        return self._filled == self._length > 0

    def _length_of_answer(self) -> int:
        end = self._bytes.find(b"\r\n\r\n", 0, self._filled)
        if end < 0:
            return 0
        head = bytes(self._view[:end]).lower()
        _, found, rest = head.partition(b"\r\ncontent-length:")
        if not found:
            raise ConnectionError("An answer without a Content-Length can't be measured here.")
        length = end + 4 + int(rest.split(b"\r\n", 1)[0])
        if length > ROOM:
            raise ConnectionError(f"An answer of {length} bytes is larger than was expected.")
        return length

    @property
    def succeeded(self) -> bool:
        return self._bytes[9:10] == b"2"

    @property
    def answer(self) -> bytes:
        return bytes(self._view[: self._filled])


def _put_load(port: int, seconds: float, connections: int, requests: Sequence[bytes]) -> Sample:
    sample = Sample(seconds)
    upcoming = itertools.cycle(requests)
    by_number = {each.socket.fileno(): each for each in (Connection(port) for _ in range(connections))}
    waiting = select.epoll()
    for number in by_number:
        waiting.register(number, select.EPOLLIN)
    deadline = time.perf_counter() + seconds
    for each in by_number.values():
        each.ask(next(upcoming))
    while by_number:
        for answered in _answered(waiting, by_number):
            if not _note(sample, answered, deadline):
                waiting.unregister(answered.socket)
                del by_number[answered.socket.fileno()]
                answered.socket.close()
            else:
                answered.ask(next(upcoming))
    waiting.close()
    return sample


def _answered(waiting: select.epoll, by_number: dict[int, Connection]) -> Iterator[Connection]:
    events = waiting.poll(PATIENCE)
    if not events:
        raise ConnectionError(f"No answer for {PATIENCE} seconds.")
    for number, _ in events:
        connection = by_number[number]
        if connection.has_answer():
            yield connection


def _note(sample: Sample, answered: Connection, deadline: float) -> bool:
    """Writes the answer down and says whether there is time for another question."""
    moment = time.perf_counter()
    sample.all_answers += 1
    sample.bytes_read += answered._filled  # noqa: SLF001 -- a property would cost a call per answer
    if not answered.succeeded:
        sample.errors += 1
        sample.first_error = sample.first_error or answered.answer[:600].decode(errors="replace")
    if moment > deadline:
        return False
    sample.answers += 1
    sample.latencies.append(moment - answered.asked_at)
    return True


def put_load(
    port: int, requests: Sequence[bytes], *, seconds: float, connections: int, cores: set[int] | None = None
) -> Sample:
    """The same in another process, bound to `cores`."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([each.decode() for each in requests], file)
        file.flush()
        command = [sys.executable, "-m", "bench.load", str(port), str(seconds), str(connections), file.name]
        if cores:
            command = ["taskset", "-c", ",".join(map(str, sorted(cores))), *command]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"The load on port {port} failed: {ran.stderr.strip().splitlines()[-1]}")
    return Sample(**json.loads(ran.stdout))


def main(port: str, seconds: str, connections: str, file: str) -> None:
    requests = [each.encode() for each in json.loads(Path(file).read_text())]
    before = time.process_time()
    sample = _put_load(int(port), float(seconds), int(connections), requests)
    sample.processor_ms = (time.process_time() - before) * 1000
    json.dump(asdict(sample), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
