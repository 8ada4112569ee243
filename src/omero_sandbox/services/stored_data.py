# SPDX-License-Identifier: AGPL-3.0-or-later
"""Removing what lies on disk for objects that are gone: pixels, thumbnails, file contents.

Deleting rows and removing files cannot be one transaction. The rows go first; the files are removed after the commit, and a
sweep at the next start takes what a crash in between left behind. So there is never a row without its data.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from omero_sandbox.pixels.buffers import PIXELS_FOLDER, pixel_path
from omero_sandbox.pixels.thumbnails import thumbnail_folder
from omero_sandbox.services.raw_files import file_path
from omero_sandbox.store.database import Database

__all__ = ["adopt_old_pixels", "make_managed_repository", "remove_data", "sweep"]

log = logging.getLogger(__name__)


def remove_data(database: Database, deleted: Mapping[str, Iterable[int]]) -> None:
    """Remove the data of deleted objects, given as ids by class (what ``delete`` returns), once that is committed."""
    for pixels_id in deleted.get("Pixels", ()):
        _remove(pixel_path(database.folder, pixels_id))
        _remove(thumbnail_folder(database.folder, pixels_id))
    for file_id in deleted.get("OriginalFile", ()):
        _remove(file_path(database, file_id))


def adopt_old_pixels(database: Database) -> None:
    """Move pixel files to where OMERO.server has them; earlier sandboxes kept them elsewhere. For the start."""
    old = database.folder / "pixels"
    for path in list(old.glob("*/*")):
        if path.name.isascii() and path.name.isdigit():
            place = pixel_path(database.folder, int(path.name))
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)
    if old.is_dir():
        shutil.rmtree(old)


def make_managed_repository(database: Database) -> str:
    """Make the folder of imported files, with its id in the file in which OMERO.server keeps it, and return the id.

    The sandbox has no importer; who puts files there says so in the database.
    """
    known = database.folder / "ManagedRepository" / ".omero" / "repository"
    files = sorted(known.glob("*/repo_uuid"))
    if files:
        return files[0].read_text(encoding="ascii").strip()
    place = known / str(uuid.uuid4()) / "repo_uuid"
    place.parent.mkdir(parents=True)
    place.write_text(str(uuid.uuid4()), encoding="ascii")
    return place.read_text(encoding="ascii")


def sweep(database: Database) -> int:
    """Remove data without an object and return how many there were. For the start, before anybody is signed in."""
    removed = 0
    kinds = ((PIXELS_FOLDER, "**/*", "Pixels"), ("thumbnails", "*/*", "Pixels"), ("files", "*/*", "OriginalFile"))
    for folder, pattern, entity in kinds:
        known = {row[0] for row in database.rows(f"SELECT id FROM e_{entity}")}  # noqa: S608 - one of two names
        for path in list((database.folder / folder).glob(pattern)):
            if path.name.isascii() and path.name.isdigit() and int(path.name) not in known:
                _remove(path)
                removed += 1
    if removed:
        log.info("removed the data of %d objects that are gone", removed)
    return removed


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        log.exception("could not remove %s; the next start tries again", path)
