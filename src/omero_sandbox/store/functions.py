# SPDX-License-Identifier: AGPL-3.0-or-later
"""SQL functions that SQLite lacks and HQL needs.

SQLite's own ``LIKE`` and ``lower`` know ASCII only, and its ``LIKE`` ignores case; PostgreSQL's, which OMERO runs on, does not.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache

from omero_sandbox.model.reflection import ENTITIES

__all__ = ["register_functions"]


_Piece = str | tuple[str | None, ...]
"""A part of a pattern between its ``%``: plain text, or characters of which None stands for ``_``."""


@lru_cache(maxsize=1024)
def _pieces(pattern: str, escape: str) -> tuple[_Piece, ...]:
    pieces: list[list[str | None]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            pieces[-1].append(next(characters, escape))
        elif character == "%":
            pieces.append([])
        else:
            pieces[-1].append(None if character == "_" else character)
    return tuple(tuple(piece) if None in piece else "".join(filter(None, piece)) for piece in pieces)


def _fits(text: str, piece: _Piece, start: int) -> bool:
    if isinstance(piece, str):
        return text.startswith(piece, start)
    return all(wanted is None or wanted == text[start + number] for number, wanted in enumerate(piece))


def _find(text: str, piece: _Piece, start: int, end: int) -> int | None:
    """Where a piece first occurs between two positions."""
    if isinstance(piece, str):
        found = text.find(piece, start, end)
        return None if found < 0 else found
    return next((at for at in range(start, end - len(piece) + 1) if _fits(text, piece, at)), None)


def _matches(text: str, pieces: tuple[_Piece, ...]) -> bool:
    """Match piece by piece, each as far left as it goes: never more than pattern times text, unlike a regular expression."""
    first, *middle = pieces
    if not middle:
        return len(first) == len(text) and _fits(text, first, 0)
    *middle, last = middle
    if len(first) + len(last) > len(text) or not _fits(text, first, 0) or not _fits(text, last, len(text) - len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = _find(text, piece, position, end)
        if found is None:
            return False
        position = found + len(piece)
    return True


def _like(text: object, pattern: object, escape: str, ignore_case: int) -> int | None:
    if text is None or pattern is None:
        return None
    subject, wanted = str(text), str(pattern)
    if ignore_case:
        subject, wanted = subject.lower(), wanted.lower()
    return int(_matches(subject, _pieces(wanted, escape)))


def _lower(text: object) -> str | None:
    return None if text is None else str(text).lower()


def _upper(text: object) -> str | None:
    return None if text is None else str(text).upper()


def _java_class(dtype: str | None) -> str | None:
    return None if dtype is None else ENTITIES[dtype].java_name


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection ``like_match(text, pattern, escape, ignore_case)``, ``lower``, ``upper`` and ``java_class``."""
    connection.create_function("like_match", 4, _like, deterministic=True)
    connection.create_function("lower", 1, _lower, deterministic=True)
    connection.create_function("upper", 1, _upper, deterministic=True)
    connection.create_function("java_class", 1, _java_class, deterministic=True)
