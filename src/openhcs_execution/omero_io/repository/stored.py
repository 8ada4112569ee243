# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OMERO says about where an image is stored, read with the session of the user.

That the query returns an image at all is OMERO's permission check. Files are opened with the rights of the service account,
so nothing may be opened for an image that is not in the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import omero
from omero.gateway import BlitzGateway

from ..services import Context, project

__all__ = ["StoredFile", "StoredImage", "stored_images"]

_PIXELS = (
    "select i.id, x.id, x.sha1, i.series, f.id from Pixels x join x.image i left outer join i.fileset f "
    "where i.id in (:ids) order by x.id desc"
)
_FILES = (
    "select e.fileset.id, f.path, f.name, f.repo, f.size, f.hash, h.value "
    "from FilesetEntry e join e.originalFile f left outer join f.hasher h where e.fileset.id in (:ids) order by e.id"
)
_MOST_FILES = 1000
"""Files that are listed for the images of a well: enough for the first of each fileset, not for every chunk of a Zarr."""


@dataclass(frozen=True)
class StoredFile:
    """An imported file, as OMERO describes it. ``repo`` is the id of its repository, which users cannot set."""

    path: str
    name: str
    repo: str
    size: int
    hash: str
    hasher: str


@dataclass(frozen=True)
class StoredImage:
    """An image that the user may read. ``files`` are those of its fileset, the one that stands for all first."""

    image_id: int
    pixels_id: int
    sha1: str
    series: int
    fileset_id: int | None
    files: tuple[StoredFile, ...] = ()


def stored_images(conn: BlitzGateway, image_ids: Iterable[int], context: Context) -> dict[int, StoredImage]:
    """Where these images are stored, by image id; one that may not be read, or is gone, is missing.

    One call, or two when some of them have filesets.
    """
    rows = project(conn, _PIXELS, omero.sys.ParametersI().addIds(list(image_ids)), context)
    files: dict[int, list[StoredFile]] = {row[4]: [] for row in rows if row[4] is not None}
    if files:
        parameters = omero.sys.ParametersI().addIds(list(files)).page(0, _MOST_FILES)
        for fileset_id, path, name, repo, size, digest, hasher in project(conn, _FILES, parameters, context):
            files[fileset_id].append(StoredFile(path or "", name or "", repo or "", size or 0, digest or "", hasher or ""))
    return {  # of several pixels of an image, the first (the last row) stays
        image_id: StoredImage(
            image_id=image_id,
            pixels_id=pixels_id,
            sha1=sha1 or "",
            series=series or 0,
            fileset_id=fileset_id,
            files=tuple(files.get(fileset_id, ())),
        )
        for image_id, pixels_id, sha1, series, fileset_id in rows
    }
