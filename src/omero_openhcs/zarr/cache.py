# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two small caches, one per web worker process, both safe between threads."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import numpy as np

__all__ = ["PlaneCache", "TimedCache"]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class PlaneCache:
    """Planes of pixels up to a number of bytes; the least recently used go first.

    Whether somebody may see a plane is decided before it is looked up here.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._planes: OrderedDict[Hashable, np.ndarray[Any, Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes held at the moment; never more than the limit."""
        return self._bytes

    def get(self, key: Hashable) -> np.ndarray[Any, Any] | None:
        with self._lock:
            plane = self._planes.get(key)
            if plane is not None:
                self._planes.move_to_end(key)
            return plane

    def put(self, key: Hashable, plane: np.ndarray[Any, Any]) -> None:
        """Remember a plane, unless it alone would fill the cache."""
        if plane.nbytes > self.limit:
            return
        plane.flags.writeable = False
        with self._lock:
            replaced = self._planes.pop(key, None)
            self._bytes += plane.nbytes - (replaced.nbytes if replaced is not None else 0)
            self._planes[key] = plane
            while self._bytes > self.limit:
                self._bytes -= self._planes.popitem(last=False)[1].nbytes


class TimedCache(Generic[Key, Value]):
    """Values that are believed for some seconds; of too many, the oldest are forgotten."""

    def __init__(self, seconds: float, *, entries: int = 5000, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._entries = entries
        self._clock = clock
        self._values: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            if found[0] <= self._clock():
                del self._values[key]
                return None
            return found[1]

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._values.pop(key, None)
            self._values[key] = (self._clock() + self._seconds, value)
            while len(self._values) > self._entries:
                self._values.popitem(last=False)
