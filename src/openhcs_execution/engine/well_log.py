# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OpenHCS and the image libraries log while one well is computed, handed on as it comes: bounded, without paths or keys.

Runs in the engine's child, which knows no OMERO session. Lines go out a few at a time, when a step begins and at the end.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from .jobs import EngineLine

__all__ = ["clean_text", "well_log"]

Level: TypeAlias = Literal["info", "warning", "error"]

LONGEST_LINE = 400
MOST_CHARACTERS = 64_000
_HOLD_SECONDS = 0.5
_PATH = re.compile(r"(?<![\w.])/(?:[^\s/'\"<>|:,;()\[\]]+/)+([^\s/'\"<>|:,;()\[\]]*)")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_SECRET = re.compile(r"(?i)\b(password|passwd|secret|token|session(?:_?(?:key|id|uuid))?|authorization)\b(\s*[=:]\s*)\S+")


def clean_text(text: str) -> str:
    """One line without control characters, folders, or what looks like a key; cut when it is long."""
    printable = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    line = printable.strip()
    # A well logs some fifty lines, and each search takes longer than finding out that there is nothing to search for.
    if "/" in line:
        line = _PATH.sub(r"…/\1", line)
    if "=" in line or ":" in line:
        line = _SECRET.sub(r"\1\2(hidden)", line)
    if line.count("-") >= 4:
        line = _UUID.sub("(hidden)", line)
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"


class _Collector(logging.Handler):
    """Cleans what is logged and hands it on in small bunches."""

    def __init__(self, send: Callable[[Sequence[EngineLine]], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send
        self._held: list[EngineLine] = []
        self._left = MOST_CHARACTERS
        self._sent_at = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        if self._left <= 0:
            return
        level = _level(record.levelno)
        try:
            text = clean_text(record.getMessage())
        except Exception:
            self.handleError(record)
            return
        self._left -= len(text)
        if self._left <= 0:
            level, text = "warning", "The log is cut here."
        self._held.append(EngineLine(time=datetime.now(UTC), level=level, text=text))
        if time.monotonic() - self._sent_at > _HOLD_SECONDS:
            self.hand_on()

    def hand_on(self) -> None:
        held, self._held, self._sent_at = self._held, [], time.monotonic()
        if held:
            self._send(held)


@contextlib.contextmanager
def well_log(send: Callable[[Sequence[EngineLine]], None]) -> Iterator[Callable[[], None]]:
    """Hand on what is logged within the block; gives a function that hands on at once what is held back."""
    collector, root, openhcs = _Collector(send), logging.getLogger(), logging.getLogger("openhcs")
    level = openhcs.level
    logging.captureWarnings(True)
    root.addHandler(collector)
    openhcs.setLevel(logging.INFO)
    try:
        yield collector.hand_on
    finally:
        openhcs.setLevel(level)
        root.removeHandler(collector)
        collector.hand_on()
