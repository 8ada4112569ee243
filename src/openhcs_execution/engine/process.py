# SPDX-License-Identifier: AGPL-3.0-or-later
"""The engine seen from a worker: a warm child process that can be killed without harm.

Importing OpenHCS takes seconds, so the child is kept between wells. It cannot be asked to stop in the middle of a well, so
cancelling means killing it, with everything in its process group; the next job starts a new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from openhcs_client import OpenHCSError, PipelineDocument

from . import failures
from .environment import engine_environment
from .jobs import EngineJob, EngineLine, EngineProgress, EngineResult, TrialKind, TrialResult

__all__ = ["EngineLost", "EngineProcess"]

_LOOK_EVERY = 0.1  # seconds between two looks at the clock and at the child's memory
_START_LIMIT = 300.0  # a cold import on a loaded machine has been seen to take most of a minute
_END_LIMIT = 5.0
_LOG_TAIL = 4000  # characters

_ENDED = None


class EngineLost(Exception):  # noqa: N818 - says what happened, like KeyboardInterrupt
    """The child died or was killed before it could answer. ``log`` is the end of what it wrote to standard error."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class EngineProcess:
    """One child process; used by one thread at a time, except for :meth:`kill` and :meth:`stop`, which any thread may call.

    ``home`` is a writable folder for OpenHCS's caches, shared by all engines of a machine. ``memory_limit_mb`` bounds the
    child's resident memory: beyond it the child is killed and the well fails with ``out_of_memory``. ``step_memory_mb`` is how
    much it may keep of what steps made, for jobs that ask for that.
    """

    def __init__(self, home: Path, *, memory_limit_mb: int | None = None, step_memory_mb: int = 0) -> None:
        self.home = Path(home).resolve()
        self.step_memory_mb = step_memory_mb
        self.memory_limit_mb = memory_limit_mb
        self._child: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._log: IO[bytes] | None = None
        self._versions: dict[str, str] = {}
        self._sending = threading.Lock()

    def __enter__(self) -> EngineProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child, or ``None`` when there is none."""
        return self._child.pid if self._child is not None else None

    @property
    def alive(self) -> bool:
        """Whether the child is there to take a job."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the child and wait until it has imported OpenHCS; nothing happens when it is alive.

        Raises:
            EngineLost: when it does not come up.
        """
        if self.alive:
            return
        self.close()
        self.home.mkdir(parents=True, exist_ok=True)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._child = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-m", "openhcs_execution.engine.child", str(int(self.step_memory_mb))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=engine_environment(self.home),
            cwd=self.home,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._child, self._answers), daemon=True, name="engine-answers").start()
        try:
            self._versions = self._wait("ready", deadline=time.monotonic() + _START_LIMIT)["versions"]
        except _OutOfTimeError:
            self.kill()
            raise EngineLost(f"The engine did not start within {_START_LIMIT:g} seconds.", self._log_tail()) from None

    def versions(self) -> dict[str, str]:
        """Versions of OpenHCS and of what computes, as reported by the child."""
        self.start()
        return dict(self._versions)

    def run(
        self,
        job: EngineJob,
        on_progress: Callable[[EngineProgress], None],
        time_limit: float | None = None,
        on_lines: Callable[[Sequence[EngineLine]], None] | None = None,
    ) -> EngineResult:
        """Compute one well, starting the child when there is none. ``time_limit`` is in seconds.

        A well that fails, runs out of memory or out of time comes back as a result with a ``failure``; after the last two
        the child is gone, and the next call starts another.

        Raises:
            EngineLost: when the child died or was killed meanwhile.
        """
        self.start()
        started = time.monotonic()
        # The child works in its own folder, where relative paths would mean something else.
        folders = {name: getattr(job, name).resolve() for name in ("planes", "output", "scratch")}
        absolute = job.model_copy(update=folders)
        self._send({"operation": "run", "job": absolute.model_dump(mode="json")})
        deadline = started + time_limit if time_limit is not None else None
        try:
            answer = self._wait(
                "result", deadline=deadline, memory_limit=self.memory_limit_mb, on_progress=on_progress, on_lines=on_lines
            )
        except _OutOfTimeError:
            failure = failures.time_limit(job.well, time_limit or 0.0)
        except _OutOfMemoryError:
            failure = failures.out_of_memory(job.well, self.memory_limit_mb)
        else:
            return EngineResult.model_validate(answer["result"])
        self.kill()
        return EngineResult(well=job.well, seconds=time.monotonic() - started, failure=failure, versions=dict(self._versions))

    def try_document(
        self, document: PipelineDocument, channels: Sequence[str], kinds: Sequence[TrialKind], *, time_limit: float
    ) -> TrialResult:
        """Let OpenHCS compile ``document``, which has the user's parameters applied, and run it on tiny made-up wells.

        After ``time_limit`` seconds the child is killed, and the next call starts another.

        Raises:
            EngineLost: when the child died or was killed meanwhile.
        """
        request = {
            "operation": "try",
            "document": document.model_dump(mode="json"),
            "channels": list(channels),
            "kinds": [kind.model_dump(mode="json") for kind in kinds],
        }
        try:
            return TrialResult.model_validate(self._ask(request, deadline=time.monotonic() + time_limit))
        except _OutOfTimeError:
            self.kill()
            slow = f"OpenHCS needed more than {time_limit:g} seconds for a tiny made-up image. Test one well before you run it."
            return TrialResult(warnings=[slow])

    def stop(self, execution_id: str) -> None:
        """Ask the child to end a job that remembers between two calls of a step's function, from any thread.

        The job then comes back with a failure, and what it made until then is remembered. One that is over is not touched.
        """
        with contextlib.suppress(EngineLost):
            self._send({"operation": "stop", "execution_id": execution_id})

    def kill(self) -> None:
        """End the child and its process group at once. A ``run`` in another thread raises :class:`EngineLost`."""
        child = self._child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def close(self) -> None:
        """End the child in peace: it leaves when its pipe closes. Also good after :meth:`kill`, and twice."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            child.stdin.close()  # type: ignore[union-attr]
        try:
            child.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _ask(self, request: dict[str, Any], *, deadline: float | None = None) -> Any:
        self.start()
        self._send(request)
        return self._wait("result", deadline=deadline)["result"]

    def _send(self, request: dict[str, Any]) -> None:
        child = self._child
        if child is None or child.stdin is None:
            raise EngineLost("The engine was closed.")
        try:
            with self._sending:
                child.stdin.write(json.dumps(request) + "\n")
                child.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def _wait(
        self,
        kind: str,
        *,
        deadline: float | None = None,
        memory_limit: int | None = None,
        on_progress: Callable[[EngineProgress], None] | None = None,
        on_lines: Callable[[Sequence[EngineLine]], None] | None = None,
    ) -> dict[str, Any]:
        """Wait for the message of ``kind``, handing on progress and watching clock and memory meanwhile."""
        while True:
            if deadline is not None and time.monotonic() > deadline:
                raise _OutOfTimeError
            if memory_limit is not None and _resident_mb(self.pid) > memory_limit:
                raise _OutOfMemoryError
            try:
                message = self._answers.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                continue
            if message is _ENDED:
                raise self._lost()
            if message["kind"] == "error":
                raise OpenHCSError(message["code"], message["message"], status=422)
            if message["kind"] == kind:
                return message
            if message["kind"] == "progress" and on_progress is not None:
                on_progress(EngineProgress.model_validate(message["progress"]))
            if message["kind"] == "lines" and on_lines is not None:
                on_lines([EngineLine.model_validate(line) for line in message["lines"]])

    def _lost(self) -> EngineLost:
        child = self._child
        code = child.wait() if child is not None else None
        how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return EngineLost(f"The engine process {how}.", self._log_tail())

    def _log_tail(self) -> str:
        if self._log is None:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_TAIL))
        return self._log.read().decode("utf-8", "replace")


class _OutOfTimeError(Exception):
    """The deadline passed."""


class _OutOfMemoryError(Exception):
    """The child is larger than it may be."""


def _resident_mb(pid: int | None) -> float:
    """Resident memory of a process in MB; 0 when it is gone, which is noticed elsewhere."""
    import psutil

    try:
        return psutil.Process(pid).memory_info().rss / 2**20
    except psutil.Error:
        return 0.0


def _listen(child: subprocess.Popen[str], answers: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    """Read what the child says until its pipe ends."""
    with contextlib.suppress(OSError, ValueError):
        for line in child.stdout or ():
            answers.put(json.loads(line))
    answers.put(_ENDED)
