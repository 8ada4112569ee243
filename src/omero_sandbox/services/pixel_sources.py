# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the id of a Pixels object to its file and its channels, for the services that move or show pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import omero
import omero.api

from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.buffers import PixelBuffer, PixelShape, pixel_path
from omero_sandbox.pixels.settings import ChannelInfo
from omero_sandbox.pixels.statistics import min_max
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.object_access import Place, require_readable
from omero_sandbox.store.database import Database

__all__ = ["LARGEST_ANSWER", "PixelSource", "SingleResolution", "answer", "channel_infos", "open_pixels"]

LARGEST_ANSWER = 200 * 1024 * 1024
"""Bytes of pixels that one call returns at most; the Ice message around them may have 256 MiB."""

_SHORTEST_WAVELENGTH_NM = 100.0
_TILE_SIDE = 1024

_PIXELS_SQL = """
    SELECT p.c_image, p.c_sizeX, p.c_sizeY, p.c_sizeZ, p.c_sizeC, p.c_sizeT, t.c_value
    FROM e_Pixels p JOIN e_PixelsType t ON t.id = p.c_pixelsType WHERE p.id = ?
"""
_CHANNELS_SQL = """
    SELECT c.c_red, c.c_green, c.c_blue, c.c_alpha, l.c_emissionWave, s.c_globalMin, s.c_globalMax
    FROM e_Channel c LEFT JOIN e_LogicalChannel l ON l.id = c.c_logicalChannel
    LEFT JOIN e_StatsInfo s ON s.id = c.c_statsInfo WHERE c.c_pixels = ? ORDER BY c.idx, c.id
"""


@dataclass(frozen=True)
class PixelSource:
    """A Pixels object that the caller could read when it was opened."""

    pixels_id: int
    image_id: int
    place: Place
    buffer: PixelBuffer

    @property
    def shape(self) -> PixelShape:
        """The sizes of the image."""
        return self.buffer.shape


def open_pixels(database: Database, pixels_id: int, caller: Caller) -> PixelSource:
    """Return a Pixels object's file and sizes.

    Raises:
        omero.ValidationException: it does not exist or may not be read.
    """
    place = require_readable(database, "Pixels", pixels_id, caller)
    image_id, x, y, z, c, t, pixel_type = database.rows(_PIXELS_SQL, pixels_id)[0]
    buffer = PixelBuffer(pixel_path(database.folder, pixels_id), PixelShape(x, y, z, c, t), pixel_type)
    return PixelSource(pixels_id, image_id, place, buffer)


def channel_infos(database: Database, source: PixelSource) -> list[ChannelInfo]:
    """Return what is known of each channel; intensity ranges that nobody recorded are read from the pixels.

    Does not hold the database lock while reading pixels.
    """
    rows = database.rows(_CHANNELS_SQL, source.pixels_id)
    rows += [(None,) * 7] * (source.shape.size_c - len(rows))
    infos = []
    for index, (red, green, blue, alpha, emission, low, high) in enumerate(rows[: source.shape.size_c]):
        # A new image has the range 0 to 1 until someone measures it.
        if low is None or high is None or (low, high) == (0.0, 1.0):
            low, high = min_max(source.buffer, index)
        infos.append(
            ChannelInfo(
                colour=None if red is None else (red, green or 0, blue or 0, 255 if alpha is None else alpha),
                emission_nm=emission if emission and emission >= _SHORTEST_WAVELENGTH_NM else None,
                minimum=low,
                maximum=high,
            )
        )
    return infos


def answer(values: np.ndarray) -> bytes:
    """Return pixels as the bytes of an answer.

    Raises:
        omero.ApiUsageException: they are too many for one message.
    """
    if values.nbytes > LARGEST_ANSWER:
        raise api_usage(f"{values.nbytes} bytes are too many for one call (at most {LARGEST_ANSWER}); ask for smaller parts.")
    return values.tobytes()


class SingleResolution:
    """The part of OMERO's pixel services that is about resolution levels; images here have one.

    Classes that mix this in have an open ``source``.
    """

    source: PixelSource

    def requiresPixelsPyramid(self, caller: Caller) -> bool:
        """Tell whether the image is too large to be shown without a pyramid: never."""
        return False

    def getResolutionLevels(self, caller: Caller) -> int:
        """Return the number of resolution levels."""
        return 1

    def getResolutionLevel(self, caller: Caller) -> int:
        """Return the level in use."""
        return 0

    def setResolutionLevel(self, level: int, caller: Caller) -> None:
        """Choose the level; there is only level 0."""
        if level != 0:
            raise api_usage(f"This image has no resolution level {level}; it has one level.")

    def getResolutionDescriptions(self, caller: Caller) -> list[Any]:
        """Return the size of each level."""
        shape = self.source.shape
        return [omero.api.ResolutionDescription(shape.size_x, shape.size_y)]

    def getTileSize(self, caller: Caller) -> list[int]:
        """Return a good size of tiles, width and height."""
        shape = self.source.shape
        return [min(_TILE_SIDE, shape.size_x), min(_TILE_SIDE, shape.size_y)]
