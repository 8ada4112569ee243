# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of wells that somebody tries values on: staged once, and used again for some minutes.

What is kept is found by the ids of its images in OMERO and the event in which each was last changed, as they were read with
the session of the user who asks, at the time of her submission. Who may not read an image does not know how to ask for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openhcs_client import PlateLayout
from openhcs_execution.engine.staging import HASHES, IMAGES, METADATA

__all__ = ["KeptImages"]


@dataclass(frozen=True)
class _Kept:
    since: float
    size: int


class KeptImages:
    """Staged wells below ``folder``, the least recently used given up first. For one thread."""

    def __init__(self, folder: Path, *, most_bytes: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def stage(self, layout: PlateLayout, well: str, folder: Path, fetch: Callable[[], None]) -> bool:
        """Have the planes of ``well`` in ``folder``; ``fetch`` stages them there from OMERO. True when that was not needed.

        Nothing is kept of a ``fetch`` that raises.
        """
        self._tidy()
        key = _key(layout, well)
        if key in self._kept:
            self._kept.move_to_end(key)
            _link(self._folder / key, folder)
            return True
        fetch()
        size = sum(file.stat().st_size for file in (folder / IMAGES).iterdir())
        if size <= self._most_bytes:
            _link(folder, self._folder / key)
            self._kept[key] = _Kept(self._clock(), size)
            self._tidy()
        return False

    def _tidy(self) -> None:
        """Give up what is old, and what is too much."""
        old = [key for key, kept in self._kept.items() if self._clock() - kept.since > self._seconds]
        for key in old:
            self._forget(key)
        while sum(kept.size for kept in self._kept.values()) > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: str) -> None:
        del self._kept[key]
        shutil.rmtree(self._folder / key, ignore_errors=True)


def _key(layout: PlateLayout, well: str) -> str:
    """Everything that staging depends on, and nothing that anybody chose: a hash that is also a safe name of a folder."""
    content = layout.model_copy(update={"wells": (layout.well(well),)}).model_dump_json()
    return hashlib.sha256(content.encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """The same images under another name, without a copy; the index, into which OpenHCS writes, is copied."""
    shutil.rmtree(target, ignore_errors=True)
    (target / IMAGES).mkdir(parents=True)
    for file in (source / IMAGES).iterdir():
        os.link(file, target / IMAGES / file.name)
    for name in (METADATA, HASHES):
        shutil.copyfile(source / name, target / name)
