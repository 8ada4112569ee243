# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a running sandbox holds on disk, so that a test can tell that a refused call has left no trace."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

# Written by signing in and by every attempt to write; they tell who was there, not what she changed.
_DIARY = frozenset({"e_Session", "e_Event", "sqlite_sequence"})


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every table, and of every pixel and other file, in a sandbox's data folder."""
    digests: dict[str, str] = {}
    database = sqlite3.connect(f"file:{folder / 'omero.sqlite'}?mode=ro", uri=True)
    try:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in sorted(set(names) - _DIARY):
            rows = database.execute(f"SELECT * FROM {name}").fetchall()
            digests[name] = hashlib.sha256(repr(sorted(rows, key=repr)).encode()).hexdigest()
    finally:
        database.close()
    for kind in ("Pixels", "ManagedRepository", "files"):
        for path in sorted((folder / kind).rglob("*")):
            if path.is_file():
                digests[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return which tables and files differ."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
