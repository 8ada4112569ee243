# SPDX-License-Identifier: AGPL-3.0-or-later
"""SQL functions that SQLite lacks and HQL needs.

SQLite's own ``LIKE`` and ``lower`` know ASCII only, and its ``LIKE`` ignores case; PostgreSQL's, which OMERO runs on, does not.
"""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache

from omero_sandbox.model.reflection import ENTITIES

__all__ = ["register_functions"]


@lru_cache(maxsize=256)
def _pattern(like: str, escape: str, ignore_case: bool) -> re.Pattern[str]:
    parts: list[str] = []
    characters = iter(like)
    for character in characters:
        if character == escape:
            parts.append(re.escape(next(characters, escape)))
        else:
            parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _like(text: object, like: object, escape: str, ignore_case: int) -> int | None:
    if text is None or like is None:
        return None
    return int(_pattern(str(like), escape, bool(ignore_case)).fullmatch(str(text)) is not None)


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
