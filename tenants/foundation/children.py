"""Programs we start, which are ended with us: politely, by force, or by the kernel when we are gone."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 10 * 1024 * 1024
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One program under our supervision.

    Start it from the main thread: to the kernel, the parent that dies is the thread that started it.
    It has a process group of its own, so that Ctrl-C reaches only us and we decide in which order all stop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        stops_by: signal.Signals = signal.SIGTERM,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.stops_by = stops_by
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._was_asked = False
        self._log_began_at = 0

    def start(self) -> None:
        self._was_asked = False
        output = self._open_log(self.log) if self.log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- the command is ours
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(self.environment) if self.environment is not None else None,
                process_group=0,
                preexec_fn=_ended_with(os.getpid(), self.stops_by),  # noqa: PLW1509 -- only system calls
            )
        finally:
            if output:
                output.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        return self._process.poll() if self._process else None

    def ask_to_stop(self) -> None:
        """Ask once: many programs take the second time for impatience, and drop their work."""
        if self.is_running and self.pid and not self._was_asked:
            self._was_asked = True
            with suppress(ProcessLookupError):
                os.kill(self.pid, self.stops_by)

    def stop(self, patience: float = 20) -> None:
        """Ask, wait, and end it by force where asking is not enough."""
        self.ask_to_stop()
        if self._process:
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it, and whatever it left behind in its process group, as a crash of the machine would."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_words(self, lines: int = 1) -> str:
        """The last it wrote, for a sentence about why it ended."""
        if not self.log or not self.log.exists():
            return ""
        with self.log.open("rb") as written:
            written.seek(self._log_began_at)
            words = written.read(LARGEST_LOG).decode(errors="replace")
        return "\n".join(words.strip().splitlines()[-lines:])

    def _open_log(self, log: Path) -> BinaryIO:
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))
        output = log.open("ab")
        self._log_began_at = output.tell()
        return output


def _ended_with(parent: int, by: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None

    def ask_the_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # we were gone before it could ask
            os._exit(1)

    return ask_the_kernel


def command_line_of(pid: int) -> str:
    """What a process runs, or nothing when there is no such process."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    asked = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
