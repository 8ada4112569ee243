# SPDX-License-Identifier: AGPL-3.0-or-later
"""One engine process for questions about pipelines, apart from those that compute: answers come also while a plate runs.

It takes seconds to start, so it is started with the service and kept; what it was asked about a pipeline is remembered. A
question that comes while it starts, or while it answers another one, may give up waiting.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from openhcs_client import PipelineDocument
from openhcs_execution.engine import EngineLost, EngineProcess, TrialKind, TrialResult
from openhcs_execution.logging import get_logger

__all__ = ["EngineDesk"]

_REMEMBERED = 500
"""Answers about pipelines that are kept; each is a few sentences."""

_TRIAL_LIMIT = 20.0
"""Seconds that a pipeline may take for tiny images; the built-in ones take less than one."""

log = get_logger(__name__)


class EngineDesk:
    """Answers one question at a time."""

    def __init__(self, home: Path) -> None:
        self._engine = EngineProcess(home)
        self._lock = threading.Lock()
        self._warm = threading.Event()
        self._wanted = False
        self._starting: threading.Thread | None = None
        self._answers: OrderedDict[tuple[str, tuple[TrialKind, ...]], TrialResult] = OrderedDict()

    def warm_up(self, after: Callable[[], bool] = lambda: True) -> None:
        """Start the engine in the background, once ``after`` returns true; then it is kept, and started again if it dies."""
        self._wanted = True
        if self._starting is not None and self._starting.is_alive():
            return

        def start() -> None:
            if after():
                with self._lock:
                    self._start()

        self._starting = threading.Thread(target=start, name="desk-start", daemon=True)
        self._starting.start()

    def try_document(
        self, document: PipelineDocument, channels: Sequence[str], kinds: Sequence[TrialKind], *, wait_seconds: float
    ) -> TrialResult | None:
        """What OpenHCS says to ``document``; None when it could not be asked within ``wait_seconds``.

        Numbers are no part of what is remembered: they were checked against their limits, and OpenHCS does not look at them.
        """
        key = (_essence(document, channels), tuple(kinds))
        answer = self._answers.get(key)
        if answer is not None or not self._wanted:
            return answer
        if not self._warm.is_set():
            self.warm_up()  # in case that it failed before
        if not self._warm.wait(wait_seconds):
            return None
        with self._turn(wait_seconds) as ours:
            if not ours:
                return None
            answer = self._answers.get(key) or self._try(document, channels, kinds)
            if answer is not None and not answer.warnings:  # a warning may hang on a number
                self._answers[key] = answer
                while len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
            return answer

    def _try(self, document: PipelineDocument, channels: Sequence[str], kinds: Sequence[TrialKind]) -> TrialResult | None:
        try:
            return self._engine.try_document(document, channels, kinds, time_limit=_TRIAL_LIMIT)
        except EngineLost as error:
            log.warning("desk_engine_lost", reason=str(error), log=error.log)
            self._warm.clear()
            self.warm_up()
            return None

    def close(self) -> None:
        """End the engine process, if there is one."""
        self._wanted = False
        with self._lock:
            self._engine.close()

    def _start(self) -> None:
        if not self._wanted:
            return  # closed meanwhile
        try:
            self._engine.start()
        except EngineLost as error:
            log.error("desk_engine_did_not_start", reason=str(error), log=error.log)
            return
        self._warm.set()

    @contextmanager
    def _turn(self, wait_seconds: float) -> Iterator[bool]:
        ours = self._lock.acquire(timeout=wait_seconds)
        try:
            yield ours
        finally:
            if ours:
                self._lock.release()


def _essence(document: PipelineDocument, channels: Sequence[str]) -> str:
    """The document without its words and numbers: what OpenHCS decides on."""
    plain = document.model_copy(
        update={
            "steps": [
                step.model_copy(update={"parameters": {name: _kind_of(value) for name, value in step.parameters.items()}})
                for step in document.steps
            ],
            "parameters": [],
            "measurements": [],
            "golden_wells": [],
            "needs": [],
            "description": "",
            "primary_measurement": None,
        }
    )
    return f"{plain.content_hash()} {len(channels)} {'/'.join(channels)}"


def _kind_of(value: object) -> object:
    """A value, or for a number that one was given; yes and no stay what they are."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else value
