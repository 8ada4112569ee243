# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where OMERO keeps files, and opening one of them without ever leaving the folder it must lie in.

OMERO.server's binary repository ("data dir") looks like this, for what is read here::

    <root>/Pixels/5                                  pixels without an original file, by the id of the Pixels object
    <root>/Pixels/Dir-001/Dir-234/1234567            a thousand entries per folder (ome.io.nio.AbstractFileSystemService)
    <root>/ManagedRepository/<path>/<name>           imported files; path and name are those of the OriginalFile
    <root>/ManagedRepository/.omero/repository/*/repo_uuid     the repository's own id, as in OriginalFile.repo

Paths and names of imported files were chosen by users. They are taken apart and must lead, symbolic links followed, to a
regular file below the folder named here.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

__all__ = ["MANAGED", "PIXELS", "Unreadable", "managed_file", "open_below", "pixels_file", "repository_ids", "resolve_below"]

PIXELS = "Pixels"
MANAGED = "ManagedRepository"

_PER_FOLDER = 1000
_LONGEST_ID = 64
"""Characters of a repository's id that are read; it is a UUID of 36."""


class Unreadable(Exception):  # noqa: N818 - says what is, like FileNotFoundError does not
    """An image that is not read from its file, and why, in a few words for the log. OMERO's API is asked instead."""


def pixels_file(pixels_id: int) -> PurePosixPath:
    """Where the pixels of ``pixels_id`` lie below the root.

    >>> str(pixels_file(999)), str(pixels_file(1000)), str(pixels_file(1234567))
    ('Pixels/999', 'Pixels/Dir-001/1000', 'Pixels/Dir-001/Dir-234/1234567')
    """
    folders: list[str] = []
    remaining = pixels_id
    while remaining >= _PER_FOLDER:
        remaining //= _PER_FOLDER
        folders.insert(0, f"Dir-{remaining % _PER_FOLDER:03d}")
    return PurePosixPath(PIXELS, *folders, str(pixels_id))


def managed_file(path: str, name: str) -> PurePosixPath:
    """Where an imported file lies below the managed repository.

    Raises:
        Unreadable: for a path that goes up, starts at the root of the file system, or is none.
    """
    whole = PurePosixPath(path.lstrip("/")) / name
    parts = whole.parts
    if not name or "/" in name or "\0" in path + name or whole.is_absolute() or any(part in ("..", ".omero") for part in parts):
        raise Unreadable("the path of its file is not one that OMERO gives")
    return whole


def resolve_below(folder: Path, relative: PurePosixPath | str) -> Path:
    """``relative`` below ``folder``, with every symbolic link followed.

    Raises:
        Unreadable: when it is not there, or leads out of ``folder``.
    """
    try:
        base = folder.resolve(strict=True)
        found = (base / relative).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Unreadable("its file is not in the repository") from error
    if not found.is_relative_to(base):
        raise Unreadable("its file lies outside of the repository")
    return found


def open_below(folder: Path, relative: PurePosixPath | str) -> int:
    """A descriptor for reading the regular file ``relative`` below ``folder``; the caller closes it.

    Raises:
        Unreadable: when it is not there, leads out of ``folder``, is not a regular file, or may not be read.
    """
    path = resolve_below(folder, relative)
    try:
        # The path was resolved, so a link here is one that was put there since.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable("its file cannot be opened") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("its file is not a regular file")
    return descriptor


def repository_ids(root: Path) -> frozenset[str]:
    """The ids under which OMERO knows the managed repository of ``root``; none when there is none to be read."""
    found = set()
    for file in (root / MANAGED / ".omero" / "repository").glob("*/repo_uuid"):
        try:
            with file.open(encoding="ascii") as stream:
                found.add(stream.read(_LONGEST_ID).strip())
        except (OSError, ValueError):
            continue  # of another database, or not for us to read: then its files are not, either
    return frozenset(found - {""})
