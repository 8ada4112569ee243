# SPDX-License-Identifier: AGPL-3.0-or-later
"""One process per data folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

__all__ = ["FolderInUseError", "occupy", "release"]

_LOCK = "in-use.lock"


class FolderInUseError(RuntimeError):
    """Another sandbox works with this data folder."""


def occupy(folder: Path) -> int:
    """Take a data folder (made when missing) for this process and return the handle to `release` it with.

    Raises:
        FolderInUseError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise FolderInUseError(f"Another sandbox is running with the data in {folder}.") from None
    return handle


def release(handle: int) -> None:
    """Give a data folder back."""
    os.close(handle)
