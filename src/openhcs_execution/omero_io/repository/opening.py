# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding the file of an image, and checking that it holds what OMERO means."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openhcs_client import FieldLayout

from .paths import MANAGED, PIXELS, Unreadable, managed_file, open_below, pixels_file, repository_ids, resolve_below
from .planes import PlaneSource, RomioImage
from .stored import StoredFile, StoredImage

__all__ = ["ReadTile", "Repository"]

ReadTile = Callable[[int, int, int, int, int], np.ndarray]
"""Asks OMERO's API: (z, c, t, first row, number of rows) -> these rows of a plane, shape (rows, x)."""

_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_COMPARED_BYTES = 64 * 1024
"""Of each plane that is compared with OMERO's, so many bytes in full rows from its middle."""
_REMEMBERED = 10_000
"""Images whose file was checked: as long as the file stays the same, it is not checked again."""


class Repository:
    """OMERO's data folder, for reading. For one thread."""

    def __init__(self, root: Path) -> None:
        """``root`` is what OMERO.server calls ``omero.data.dir``.

        Raises:
            Unreadable: when there is no such folder to be seen from here.
        """
        self.root = root
        if not any((root / name).is_dir() for name in (PIXELS, MANAGED)):
            raise Unreadable(f"{root} has neither a folder {PIXELS} nor a folder {MANAGED}")
        self._ids = repository_ids(root)
        self._checked: OrderedDict[tuple[Any, ...], None] = OrderedDict()

    def open(self, image: StoredImage, field: FieldLayout, dtype: np.dtype[Any], read_tile: ReadTile) -> PlaneSource:
        """The planes of an image, which was checked; the caller closes it.

        ``image`` must come from :func:`stored_images` with the session of the user, which is what allows opening it.
        ``dtype`` is the big-endian type of its pixels. ``read_tile`` is only called when OMERO has no checksum.

        Raises:
            Unreadable: when OMERO's API must be asked.
        """
        source = self._find(image, field, dtype)
        try:
            self._check(source, image, field, read_tile)
        except BaseException:
            source.close()
            raise
        return source

    def _find(self, image: StoredImage, field: FieldLayout, dtype: np.dtype[Any]) -> PlaneSource:
        if image.fileset_id is not None:
            return self._find_imported(image, field, dtype)
        descriptor = open_below(self.root / PIXELS, pixels_file(image.pixels_id).relative_to(PIXELS))
        try:
            return RomioImage(descriptor, field, dtype)
        except BaseException:
            os.close(descriptor)
            raise

    def _find_imported(self, image: StoredImage, field: FieldLayout, dtype: np.dtype[Any]) -> PlaneSource:
        # Imported late: few installations need them, and they take a while.
        from .tiff import SUFFIXES, read_tiff
        from .zarr import read_zarr, zarr_root

        if not image.files:
            raise Unreadable("OMERO does not name its files")
        main = image.files[0]
        place = self._place(main)
        root = zarr_root(place)
        if root is not None:
            return read_zarr(resolve_below(self.root / MANAGED, root), image.series, field, dtype)
        if not place.name.lower().endswith(SUFFIXES):
            raise Unreadable(f"files of the kind {place.suffix or 'without suffix'} are read by OMERO only")
        if len(image.files) > 1:
            raise Unreadable("it was imported from several files")
        descriptor = open_below(self.root / MANAGED, place)
        try:
            return read_tiff(descriptor, main, image.series, field, dtype)
        finally:
            os.close(descriptor)

    def _place(self, file: StoredFile) -> Any:
        """Where an imported file lies below the managed repository.

        Users can make entries of files with any path, but OMERO alone says that a file is in a repository: without that, an
        entry may point to a file of somebody else.
        """
        if not file.repo or file.repo not in self._ids:
            raise Unreadable("its file is not in the managed repository that is seen here")
        return managed_file(file.path, file.name)

    def _check(self, source: PlaneSource, image: StoredImage, field: FieldLayout, read_tile: ReadTile) -> None:
        key = (image.pixels_id, image.series, image.sha1, source.identity)
        if key in self._checked:
            self._checked.move_to_end(key)
            return
        if isinstance(source, RomioImage) and _SHA1.fullmatch(image.sha1):
            if source.sha1() != image.sha1.lower():
                raise Unreadable("the checksum of its pixels is not the one that OMERO has")
        else:
            _compare(source, field, read_tile)
        self._checked[key] = None
        while len(self._checked) > _REMEMBERED:
            self._checked.popitem(last=False)


def _compare(source: PlaneSource, field: FieldLayout, read_tile: ReadTile) -> None:
    """Compare parts of planes with OMERO's: of the first, of the last, and of one along each dimension.

    Raises:
        Unreadable: when they differ in a single bit.
    """
    for z, c, t in sorted(_places(field)):
        mine = source.plane(z, c, t)
        top, rows = _band(mine)
        if mine[top : top + rows].tobytes() != read_tile(z, c, t, top, rows).tobytes():
            raise Unreadable("its file holds other pixels than OMERO gives")


def _band(plane: np.ndarray) -> tuple[int, int]:
    """First row and number of rows to compare: from the middle, or all when the middle shows nothing."""
    height = plane.shape[0]
    rows = min(height, max(1, _COMPARED_BYTES // max(1, plane[0].nbytes)))
    top = (height - rows) // 2
    band = plane[top : top + rows]
    return (0, height) if (band == band[0, 0]).all() else (top, rows)


def _places(field: FieldLayout) -> set[tuple[int, int, int]]:
    def along() -> Iterator[tuple[int, int, int]]:
        z, c, t = field.size_z - 1, field.size_c - 1, field.size_t - 1
        yield from ((0, 0, 0), (z, 0, 0), (0, c, 0), (0, 0, t), (z, c, t))

    return set(along())
