# SPDX-License-Identifier: AGPL-3.0-or-later
"""An image that is to be saved: its graph for OMERO, and its pixels plane by plane.

Pixels are asked for again each time that they are needed, so that a well with many channels is never in memory as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rdouble, rint, rstring

from .planes import PIXEL_TYPES
from .services import Context, find_all, raw_pixels

__all__ = ["NewChannel", "NewImage", "image_graphs", "write_missing"]

_LARGEST_PLANE = 3192 * 3192
"""Pixels; OMERO builds an image pyramid above this size and takes such planes in tiles only."""

_NOT_WRITTEN = "Pending..."
"""What OMERO itself puts into ``sha1`` of pixels that are still to come."""

_PIXELS_TYPE = "select t from PixelsType t where t.value = :value"
_DIMENSION_ORDER = "select o from DimensionOrder o where o.value = :value"


@dataclass(frozen=True)
class NewChannel:
    """A channel of a new image. OMERO shows ``lowest`` to ``highest`` at first; ``source`` lends its colour and wavelengths."""

    name: str
    lowest: float
    highest: float
    source: omero.model.Channel | None = None


@dataclass(frozen=True)
class NewImage:
    """An image ready to be saved: one focal plane, one time point. It is found again by its ``description``.

    ``plane`` gives the pixels of a channel (counted from 0), of shape ``size`` (y, x). ``source`` are the pixels in OMERO from
    which it was made; without them, as their image was deleted, it is not saved. ``values``, ``ns`` and ``mark`` are those of
    its annotation.
    """

    field: int
    name: str
    description: str
    pixel_type: str
    size: tuple[int, int]
    channels: Sequence[NewChannel]
    plane: Callable[[int], np.ndarray]
    source: omero.model.Pixels | None
    values: Mapping[str, str]
    ns: str
    mark: str

    def planes(self) -> list[Callable[[], np.ndarray]]:
        """What gives each plane as OMERO takes it: big-endian."""
        dtype = PIXEL_TYPES[self.pixel_type]
        return [lambda number=number: self.plane(number).astype(dtype) for number in range(len(self.channels))]  # type: ignore[misc]

    def sha1(self) -> str:
        """The checksum that OMERO has of the pixels when they have arrived."""
        digest = hashlib.sha1(usedforsecurity=False)
        for plane in self.planes():
            digest.update(plane().tobytes())
        return digest.hexdigest()


def image_graphs(conn: BlitzGateway, images: Sequence[NewImage], context: Context) -> list[omero.model.Image]:
    """The images as OMERO's objects, not yet saved. Each must have its source."""
    types = {each: _enumeration(conn, _PIXELS_TYPE, each, context) for each in {image.pixel_type for image in images}}
    order = _enumeration(conn, _DIMENSION_ORDER, "XYZCT", context)
    return [_image_graph(image, types[image.pixel_type], order) for image in images]


def write_missing(
    conn: BlitzGateway, images: Sequence[NewImage], saved: Mapping[str, tuple[int, int, str]], context: Context
) -> None:
    """Write the pixels whose checksum in OMERO is not theirs. ``saved``: image id, pixels id and checksum by description."""
    here = [(image, saved[image.description]) for image in images if image.description in saved]
    missing = [(image, pixels_id) for image, (_image_id, pixels_id, sha1) in here if sha1 != image.sha1()]
    if missing:
        with raw_pixels(conn, context) as store:
            for image, pixels_id in missing:
                store.setPixelsId(pixels_id, True, context)
                for channel, plane in enumerate(image.planes()):
                    _write(store, plane(), channel, context)
                store.save(context)


def _image_graph(image: NewImage, pixel_type: omero.model.PixelsType, order: omero.model.DimensionOrder) -> omero.model.Image:
    assert image.source is not None
    height, width = image.size
    pixels = omero.model.PixelsI()
    pixels.setPixelsType(pixel_type)
    pixels.setDimensionOrder(order)
    pixels.setSha1(rstring(_NOT_WRITTEN))
    for set_size, size in (
        (pixels.setSizeX, width),
        (pixels.setSizeY, height),
        (pixels.setSizeZ, 1),
        (pixels.setSizeC, len(image.channels)),
        (pixels.setSizeT, 1),
    ):
        set_size(rint(size))
    pixels.setPhysicalSizeX(image.source.physicalSizeX)
    pixels.setPhysicalSizeY(image.source.physicalSizeY)
    for channel in image.channels:
        pixels.addChannel(_channel_graph(channel))
    graph = omero.model.ImageI()
    graph.setName(rstring(image.name))
    graph.setDescription(rstring(image.description))
    graph.addPixels(pixels)
    graph.linkAnnotation(_annotation(image))
    return graph


def _channel_graph(channel: NewChannel) -> omero.model.Channel:
    logical = omero.model.LogicalChannelI()
    logical.setName(rstring(channel.name))
    # The range that OMERO shows at first; without it every object of a label image would be nearly black.
    statistics = omero.model.StatsInfoI()
    statistics.setGlobalMin(rdouble(channel.lowest))
    statistics.setGlobalMax(rdouble(channel.highest))
    graph = omero.model.ChannelI()
    graph.setLogicalChannel(logical)
    graph.setStatsInfo(statistics)
    if channel.source is not None:
        for part in ("Red", "Green", "Blue", "Alpha"):
            getattr(graph, f"set{part}")(getattr(channel.source, f"get{part}")())
        lent = channel.source.logicalChannel
        if lent is not None:
            logical.setEmissionWave(lent.emissionWave)
            logical.setExcitationWave(lent.excitationWave)
    return graph


def _annotation(image: NewImage) -> omero.model.MapAnnotation:
    annotation = omero.model.MapAnnotationI()
    annotation.setNs(rstring(image.ns))
    annotation.setDescription(rstring(image.mark))
    annotation.setMapValue([omero.model.NamedValue(name, value) for name, value in image.values.items()])
    return annotation


def _enumeration(conn: BlitzGateway, hql: str, value: str, context: Context) -> omero.model.IObject:
    return find_all(conn, hql, omero.sys.ParametersI().addString("value", value), context)[0]


def _write(store: omero.api.RawPixelsStorePrx, pixels: np.ndarray, channel: int, context: Context) -> None:
    height, width = pixels.shape
    if height * width <= _LARGEST_PLANE:
        store.setPlane(pixels.tobytes(), 0, channel, 0, context)
        return
    tile_width, tile_height = store.getTileSize(context)
    for top in range(0, height, tile_height):
        for left in range(0, width, tile_width):
            tile = pixels[top : top + tile_height, left : left + tile_width]
            store.setTile(tile.tobytes(), 0, channel, 0, left, top, tile.shape[1], tile.shape[0], context)
