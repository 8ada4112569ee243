# SPDX-License-Identifier: AGPL-3.0-or-later
"""Thumbnails of a whole plate in one image, so that a plate view costs one request and not one per well.

Sheets are kept, a bounded number of bytes per web worker, under the user, the plate and the revisions of everything they show.
Whether the user may read the plate is asked of OMERO before a sheet is looked up.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PIL import Image

from openhcs_client import ThumbnailSheet

from .omero_access.plates import PlateSummary
from .omero_access.thumbnails import WellImage, read_thumbnails, read_well_images

if TYPE_CHECKING:
    from omero_openhcs.omero_access.gateway import BlitzGateway

__all__ = ["SheetCache", "SheetRequest", "compose", "find_sheet"]

KEPT_BYTES = 32 << 20
JPEG_QUALITY = 82


class SheetCache:
    """Sheets as JSON text up to a number of bytes; the least recently used go first. Safe between threads."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._sheets: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, revision: str) -> str | None:
        with self._lock:
            sheet = self._sheets.get(revision)
            if sheet is not None:
                self._sheets.move_to_end(revision)
            return sheet

    def put(self, revision: str, sheet: str) -> None:
        if len(sheet) > self._kept_bytes:
            return
        with self._lock:
            self._bytes += len(sheet) - len(self._sheets.pop(revision, ""))
            self._sheets[revision] = sheet
            while self._bytes > self._kept_bytes:
                self._bytes -= len(self._sheets.popitem(last=False)[1])


_SHEETS = SheetCache()


class SheetRequest:
    """What is asked for, and by whom: everything that decides how a sheet looks."""

    def __init__(self, conn: BlitzGateway, plate: PlateSummary, user_id: int, *, field: int, tile: int) -> None:
        self._conn = conn
        self._plate = plate
        self._tile = tile
        self._images = read_well_images(conn, plate, field)
        parts = [str(user_id), str(plate.plate_id), str(field), str(tile), *(image.revision for image in self._images)]
        self.revision = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def draw(self) -> ThumbnailSheet:
        """Ask OMERO for the thumbnails and put them together."""
        return compose(self._images, read_thumbnails(self._conn, self._plate, self._images, self._tile), self._tile)


def find_sheet(request: SheetRequest, sheets: SheetCache = _SHEETS) -> str:
    """The sheet as JSON, kept from before or drawn now."""
    known = sheets.get(request.revision)
    if known is None:
        known = request.draw().model_dump_json()
        sheets.put(request.revision, known)
    return known


def compose(images: list[WellImage], pictures: Mapping[str, bytes], tile: int) -> ThumbnailSheet:
    """Put pictures into one image, in the order of ``images``; one that is absent or cannot be opened is unreadable."""
    opened: dict[str, Image.Image] = {}
    for image in images:
        picture = _open(pictures.get(image.well, b""), tile)
        if picture is not None:
            opened[image.well] = picture
    columns = max(1, math.ceil(math.sqrt(len(opened))))
    return ThumbnailSheet(
        tile=tile,
        columns=columns,
        wells=list(opened),
        unreadable=[image.well for image in images if image.well not in opened],
        image=_sheet(list(opened.values()), tile, columns),
    )


def _open(picture: bytes, tile: int) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG", "PNG"]) as image:
            if max(image.size) > 4 * tile:
                return None  # not what was asked for
            found = image.convert("RGB")
    except (OSError, ValueError):
        return None
    found.thumbnail((tile, tile))
    return found


def _sheet(pictures: list[Image.Image], tile: int, columns: int) -> str:
    if not pictures:
        return ""
    sheet = Image.new("RGB", (columns * tile, math.ceil(len(pictures) / columns) * tile))
    for number, picture in enumerate(pictures):
        left, top = number % columns * tile, number // columns * tile
        sheet.paste(picture, (left + (tile - picture.width) // 2, top + (tile - picture.height) // 2))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
