# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON that means one thing only: no NaN, no infinity, no key twice, no nesting without end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from ._errors import OpenHCSError

__all__ = ["DEEPEST", "read_json", "unusable_value"]

DEEPEST = 32
"""Levels of lists and objects within each other; a pipeline document has six."""

_LARGEST = 2**63


def read_json(text: bytes | str, subject: str = "The body of the request") -> Any:
    """Parse ``text``; ``subject`` begins the sentence when it is refused.

    Raises:
        OpenHCSError: ``bad_json`` (400) when it is not JSON, has a key twice, a number that is none, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object)
    except _RefusedError as error:
        raise OpenHCSError("bad_json", f"{subject} {error}.", status=400) from error
    except RecursionError as error:
        raise OpenHCSError("bad_json", f"{subject} is nested too deeply.", status=400) from error
    except ValueError as error:  # also UnicodeDecodeError, and a number of thousands of digits
        raise OpenHCSError("bad_json", f"{subject} is not JSON.", status=400) from error


def unusable_value(content: Any) -> tuple[tuple[str | int, ...], str] | None:
    """Find the first value in parsed JSON that nothing behind us could keep or compute with: its path, and why."""
    for path, value in _walk(content):
        if isinstance(value, str):
            if "\0" in value:
                return path, "Text must not have NUL characters."
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                return path, "This is half of a character."
        elif isinstance(value, float) and not math.isfinite(value):
            return path, "This must be a number that is neither infinite nor NaN."
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            return path, "The number is too large."
        elif isinstance(value, Mapping | list | tuple) and len(path) >= DEEPEST:
            return path[:4], "This is nested too deeply."
    return None


class _RefusedError(ValueError):
    """Valid to Python's parser, not to us; the text continues the sentence."""


def _refuse_constant(text: str) -> Any:
    raise _RefusedError(f"has {text}, which is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _RefusedError(f"has the number {text[:20]}, which is too large")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RefusedError(f"has the key {twice[:60]!r} twice in one object")
    return content


def _walk(content: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value and key with its path, without recursion; what lies below :data:`DEEPEST` is not entered."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), content)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if len(path) >= DEEPEST:
            continue
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield path, key
                waiting.append(((*path, key), item))
        elif isinstance(value, list | tuple):
            waiting.extend(((*path, index), item) for index, item in enumerate(value))
