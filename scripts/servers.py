# SPDX-License-Identifier: AGPL-3.0-or-later
"""Server processes that are started, waited for, stopped and killed as one.

server = Server("service", command, log=Path("service.log"), environment=os.environ)
server.start(ready=r"^READY ")
server.wait()
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

__all__ = ["Server", "StackError", "free_port"]

READY_TIMEOUT = 120.0
STOP_TIMEOUT = 20.0


class StackError(RuntimeError):
    """A server did not come up; the message names its log file and quotes the end of it."""


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process in its own process group, with its output in a log file and a way to know when it is ready."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment)
        self.cwd = cwd
        self.process: subprocess.Popen[str] | None = None
        self._ready_line: str | None = None
        self._ready = threading.Event()

    def start(self, ready: str | None = None) -> None:
        """Start the process; with ``ready``, a regular expression, :meth:`wait` waits for a line of output that matches."""
        # Of its own: children that outlive a killed process keep its output open, and its end says nothing of the next start.
        self._ready = ready_or_over = threading.Event()
        self._ready_line = None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 - the command is ours
            self.command,
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        pattern = re.compile(ready) if ready else None
        threading.Thread(
            target=self._copy_output, args=(self.process.stdout, pattern, ready_or_over), daemon=True, name=f"log-{self.name}"
        ).start()

    def _copy_output(self, stream: IO[str], pattern: re.Pattern[str] | None, ready_or_over: threading.Event) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for line in stream:
                log.write(line)
                log.flush()
                if pattern is not None and not ready_or_over.is_set() and pattern.search(line):
                    self._ready_line = line.strip()
                    ready_or_over.set()
        ready_or_over.set()

    def wait(self, timeout: float = READY_TIMEOUT) -> str:
        """Wait for the line announced to :meth:`start` and return it.

        Raises:
            StackError: when the process ends or ``timeout`` seconds pass first.
        """
        self._ready.wait(timeout)
        if self._ready_line is None:
            self.stop()
            raise StackError(f"{self.name} did not start. The end of {self.log}:\n{self.tail()}")
        return self._ready_line

    def wait_for_http(self, url: str, timeout: float = READY_TIMEOUT) -> None:
        """Wait until ``url`` answers with any status below 500."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.alive:
                break
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback URL
                    answer.read(1)
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
                raise StackError(f"{self.name} answers {error.code}. The end of {self.log}:\n{self.tail()}") from error
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise StackError(f"{self.name} did not answer at {url}. The end of {self.log}:\n{self.tail()}")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tail(self, lines: int = 30) -> str:
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no output)"

    def kill(self) -> None:
        """Kill the whole process group at once, as a power cut would."""
        self._signal(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask the process to stop, without waiting. Only the leader is asked: it stops its own children in the right order."""
        if self.process is not None and self.alive:
            self.process.terminate()

    def stop(self) -> None:
        """Ask the process to stop, and kill what is left of its group after a while."""
        if self.process is None:
            return
        if self.alive:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT)
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
