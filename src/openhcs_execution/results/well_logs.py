# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the engine said about wells, on the disk of the service: a small file for each attempt, of JSON lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from openhcs_client import WELL_NAME_PATTERN
from openhcs_execution.engine import EngineLine

__all__ = ["LARGEST", "WellLogs"]

LARGEST = 64 * 1024
"""Bytes of one attempt."""
_NAME = re.compile(r"^[A-Za-z0-9-]{1,64}$")


class WellLogs:
    """Logs beside the result bundles, with which they are removed. Written by one thread, read by many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, execution_id: str, well: str, attempt: int, lines: Sequence[EngineLine]) -> None:
        """Add lines to the log of an attempt, as far as there is room; the rest is left out."""
        path = self._path(execution_id, well, attempt)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        room = LARGEST - (path.stat().st_size if path.exists() else 0)
        with path.open("ab") as file:
            for line in lines:
                text = line.model_dump_json().encode() + b"\n"
                room -= len(text)
                if room < 0:
                    return
                file.write(text)

    def read(self, execution_id: str, well: str, attempt: int) -> list[EngineLine]:
        """The lines of an attempt so far; none when the engine said nothing."""
        try:
            text = self._path(execution_id, well, attempt).read_bytes()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
        return [EngineLine.model_validate_json(line) for line in whole.splitlines()]

    def _path(self, execution_id: str, well: str, attempt: int) -> Path:
        """Raises ValueError for names that no execution or well has: they become a path."""
        if not _NAME.fullmatch(execution_id) or not re.fullmatch(WELL_NAME_PATTERN, well):
            raise ValueError("not the name of an execution or of a well")
        return self._folder / execution_id / "logs" / f"{well}.{attempt:d}.jsonl"
