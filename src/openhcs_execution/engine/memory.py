# SPDX-License-Identifier: AGPL-3.0-or-later
"""Remember what steps made of a well, so that trying other values computes only what they change. Runs in the child only.

The memory is asked by content: the key of a call is a hash of the function, of every pixel and label that it gets and of every
value. So a hit is right by construction, whatever the steps before it were and wherever the image comes from: a later step
whose input did not change is not computed again, one whose input changed is, and nothing can pass from one plate or user to
another but what would have been computed anyway. It lives in the engine process and dies with it; the versions of all code are
therefore the same for everything in it.

OpenHCS names functions by their place in a module and looks them up there when it runs them. So a function that remembers
is given a name in this module.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
import sys
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

__all__ = ["Recall", "StepMemory", "StoppedError", "remembering"]

_SAME = "the first argument, unchanged"
"""Kept in the place of an image that a function passes on; most functions that measure do."""

_BOOKKEEPING = 200
"""Bytes that an entry of numbers and names is counted as."""


class StoppedError(Exception):
    """The run was stopped between two calls; what it computed until then is kept."""


class _Unknown(Exception):  # noqa: N818 - a reason not to remember
    """A value of a kind whose content cannot be told."""


@dataclass
class Recall:
    """What the memory did for one run: calls that it answered and calls that were computed, by the number of the step."""

    step: int = 0
    answered: Counter[int] = field(default_factory=Counter)
    computed: Counter[int] = field(default_factory=Counter)

    @property
    def reused_steps(self) -> int:
        """How many steps took everything from memory."""
        return len(self.answered.keys() - self.computed.keys())


class StepMemory:
    """Results by content, the least recently used given up first. For one thread."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._results: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self._used = time.monotonic()
        self._recall: Recall | None = None
        self._run: str | None = None
        self._stopped: str | None = None

    def __len__(self) -> int:
        return len(self._results)

    @contextmanager
    def during(self, recall: Recall, run: str) -> Iterator[None]:
        """Answer calls from memory while this lasts, and count in ``recall``; outside of it every call is computed.

        ``run`` is the name by which :meth:`stop` knows it.
        """
        self._recall, self._run = recall, run
        try:
            yield
        finally:
            self._recall, self._run = None, None
            self._used = time.monotonic()

    def stop(self, run: str) -> None:
        """Let the run of that name raise :class:`StoppedError` at its next call; from any thread, also when it is over."""
        self._stopped = run

    def clear_when_unused(self, seconds: float) -> None:
        """Forget everything if it was not asked for so long."""
        if self._results and time.monotonic() - self._used > seconds:
            self._results.clear()
            self.bytes = 0

    def call(self, function: Callable[..., Any], arguments: Sequence[Any], values: Mapping[str, Any]) -> Any:
        """``function(*arguments, **values)``, from memory if it is known there."""
        recall = self._recall
        if recall is None:
            return function(*arguments, **values)
        if self._stopped == self._run:
            raise StoppedError("Nobody waits for this any more.")
        try:
            key = _key(function, arguments, values) if self.most_bytes > 0 else None
        except _Unknown:
            key = None
        if key is not None and key in self._results:
            self._results.move_to_end(key)
            recall.answered[recall.step] += 1
            return _given_back(self._results[key][0], arguments)
        recall.computed[recall.step] += 1
        result = function(*arguments, **values)
        if key is not None:
            self._keep(key, _kept(result, arguments))
        return result

    def _keep(self, key: bytes, result: Any) -> None:
        size = _size(result)
        if size > self.most_bytes:
            return
        self._results[key] = (result, size)
        self.bytes += size
        while self.bytes > self.most_bytes:
            _, (_, freed) = self._results.popitem(last=False)
            self.bytes -= freed


_memory: StepMemory | None = None
_wrappers: dict[Callable[..., Any], Callable[..., Any]] = {}


def remembering(memory: StepMemory) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A way to turn a step function into one that asks ``memory`` first. A process has one memory."""
    global _memory
    _memory = memory
    return _remembering


def _remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    if function in _wrappers:
        return _wrappers[function]

    def ask(*arguments: Any, **values: Any) -> Any:
        return function(*arguments, **values) if _memory is None else _memory.call(function, arguments, values)

    functools.update_wrapper(ask, function)
    # With `__wrapped__` OpenHCS would look for the function in the module where it was written.
    del ask.__wrapped__  # type: ignore[attr-defined]
    ask.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    ask.__module__, ask.__name__ = __name__, f"remembered_{len(_wrappers)}_{function.__name__}"
    ask.__qualname__ = ask.__name__
    setattr(sys.modules[__name__], ask.__name__, ask)
    _wrappers[function] = ask
    return ask


def _key(function: Callable[..., Any], arguments: Sequence[Any], values: Mapping[str, Any]) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    digest.update(f"{function.__module__}.{function.__qualname__} {len(arguments)}".encode())
    for argument in arguments:
        _add(digest, argument)
    _add(digest, values)
    return digest.digest()


def _add(digest: Any, value: Any) -> None:
    """Add what ``value`` is to ``digest``, so that no two different values give the same bytes.

    Raises:
        _Unknown: for a kind of value that may hold more than can be seen.
    """
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        text = repr(value)
        digest.update(f"{type(value).__name__}:{len(text)}:{text};".encode())
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        digest.update(f"array:{value.dtype.str}:{value.shape};".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, Enum):
        digest.update(f"enum:{type(value).__module__}.{type(value).__qualname__}.{value.name};".encode())
    elif isinstance(value, list | tuple):
        digest.update(f"{type(value).__name__}:{len(value)};".encode())
        for each in value:
            _add(digest, each)
    elif isinstance(value, Mapping):
        digest.update(f"mapping:{len(value)};".encode())
        for name in sorted(value, key=repr):
            _add(digest, name)
            _add(digest, value[name])
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__module__}.{type(value).__qualname__};".encode())
        for each in fields(value):
            _add(digest, each.name)
            _add(digest, getattr(value, each.name))
    else:
        raise _Unknown(type(value).__name__)


def _kept(result: Any, arguments: Sequence[Any]) -> Any:
    """A copy that nobody else can change."""
    image = arguments[0] if arguments else _SAME
    if isinstance(result, tuple):
        return tuple(_SAME if each is image else copy.deepcopy(each) for each in result)
    return _SAME if result is image else copy.deepcopy(result)


def _given_back(result: Any, arguments: Sequence[Any]) -> Any:
    if isinstance(result, tuple):
        return tuple(arguments[0] if each is _SAME else copy.deepcopy(each) for each in result)
    return arguments[0] if result is _SAME else copy.deepcopy(result)


def _size(value: Any) -> int:
    """Bytes of all arrays in ``value``, and a little for everything else."""
    if isinstance(value, np.ndarray):
        return value.nbytes + _BOOKKEEPING
    if isinstance(value, list | tuple):
        return _BOOKKEEPING + sum(_size(each) for each in value)
    if isinstance(value, Mapping):
        return _BOOKKEEPING + sum(_size(each) for each in value.values())
    if is_dataclass(value) and not isinstance(value, type):
        return _BOOKKEEPING + sum(_size(getattr(value, each.name)) for each in fields(value))
    return _BOOKKEEPING
