# SPDX-License-Identifier: AGPL-3.0-or-later
"""Removes the pixel and other files of objects that have been deleted, once the deletion is certain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omero_sandbox.pixels.buffers import pixel_path
from omero_sandbox.services.raw_files import file_path
from omero_sandbox.store.database import Database

__all__ = ["remove_data"]


def remove_data(database: Database, deleted: Mapping[str, Iterable[int]]) -> None:
    """Remove the files of deleted objects, given by class.

    Call it after the transaction that deleted them has been committed: a file cannot be rolled back. Ids are never used
    again, so a file that a crash leaves behind is out of reach.
    """
    for pixels_id in deleted.get("Pixels", ()):
        pixel_path(database.folder, pixels_id).unlink(missing_ok=True)
    for file_id in deleted.get("OriginalFile", ()):
        file_path(database, file_id).unlink(missing_ok=True)
