# SPDX-License-Identifier: AGPL-3.0-or-later
"""One engine process for questions about pipelines, apart from those that compute: answers come also while a plate runs.

It is started at the first question, which then takes some seconds, and closed when nobody has asked for a while.
"""

from __future__ import annotations

import threading
from pathlib import Path

from openhcs_client import OpenHCSError, PipelineDocument
from openhcs_execution.engine import EngineLost, EngineProcess

__all__ = ["EngineDesk"]


class EngineDesk:
    """Answers one question at a time."""

    def __init__(self, home: Path, idle_seconds: float = 300.0) -> None:
        self._engine = EngineProcess(home)
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def render_python(self, document: PipelineDocument) -> str:
        """The document as OpenHCS source.

        Raises:
            OpenHCSError: ``engine_unavailable``, status 503, when the engine does not start or dies.
        """
        with self._lock:
            self._stop_timer()
            try:
                return self._engine.render_python(document)
            except EngineLost as error:
                raise OpenHCSError(
                    "engine_unavailable", "OpenHCS does not answer just now. Try again in a moment.", status=503
                ) from error
            finally:
                self._timer = threading.Timer(self._idle_seconds, self.close)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End the engine process, if there is one; the next question starts another."""
        with self._lock:
            self._stop_timer()
            self._engine.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
