# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread of the service that works in turns and rests in between.

>>> loop = BackgroundLoop("counter", lambda: 60.0, trouble="counting_failed")  # doctest: +SKIP
>>> loop.start(); loop.wake(); loop.stop()                                     # doctest: +SKIP
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from .logging import get_logger

__all__ = ["BackgroundLoop"]

log = get_logger(__name__)

_AFTER_TROUBLE = 5.0


class BackgroundLoop:
    """Takes turns until it is stopped. A turn that fails is told in the log and made again: nothing ends the thread but a stop.

    Args:
        name: Of the thread.
        turn: Does what there is to do and returns the seconds to rest; None is until somebody wakes it.
        trouble: The line of the log for a turn that failed.
        ended: Called in the thread after the last turn.
    """

    def __init__(
        self, name: str, turn: Callable[[], float | None], *, trouble: str, ended: Callable[[], None] = lambda: None
    ) -> None:
        self._turn, self._trouble, self._ended = turn, trouble, ended
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        """A long turn ends early when this is true."""
        return self._stopping.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 20.0) -> None:
        """End after the turn that is being taken; waits ``patience`` seconds for it at most."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def _run(self) -> None:
        while not self.stopping:
            self._woken.wait(self._take_turn())
            self._woken.clear()
        self._ended()

    def _take_turn(self) -> float | None:
        try:
            return self._turn()
        except OperationalError as error:
            log.error("database_error", reason=str(error.orig))
        except Exception:
            log.exception(self._trouble)
        return _AFTER_TROUBLE
