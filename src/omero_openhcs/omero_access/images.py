# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images as OMERO knows them: their dimensions, channels and how the user wants them shown, and their pixels.

Metadata is read by queries and not through a rendering engine: opening one writes default settings into OMERO, which a
page that only looks must not do. Pixels come as little-endian NumPy arrays; OMERO sends them big-endian.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import omero.gateway  # noqa: F401 - the parts of omero-py are complete only after it
from omero.rtypes import unwrap
from omero.sys import ParametersI

from openhcs_client import OpenHCSError

from .lengths import micrometres

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["ChannelInfo", "ImageInfo", "read_image", "read_plane", "read_tile"]

# OMERO's pixel types that have a NumPy counterpart. "bit" and the complex types have none that viewers know.
_DTYPES = {
    "int8": "|i1",
    "uint8": "|u1",
    "int16": "<i2",
    "uint16": "<u2",
    "int32": "<i4",
    "uint32": "<u4",
    "float": "<f4",
    "double": "<f8",
}

LARGE_PLANE = 32 << 20
"""Bytes of a plane beyond which it is read in tiles."""

SHORTEST_WAVELENGTH = 100

# For channels without rendering settings: magenta and green first, which colour-blind people can tell apart.
_SPARE_COLOURS = ("00FF00", "FF00FF", "00FFFF", "FFFF00", "FF8000", "0080FF")


@dataclass(frozen=True)
class ChannelInfo:
    """A channel: its name, its colour (``RRGGBB``) and, where known, the intensities to show and those that occur."""

    label: str
    colour: str
    active: bool
    start: float | None
    end: float | None
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class ImageInfo:
    """What is needed to read and show an image.

    ``shape`` counts t, c, z, y, x. ``pixel_size_um`` is the size of a pixel along z, y, x in micrometres, or None where
    OMERO does not know it. ``pixels_revision`` changes when OMERO changes the pixels, ``settings_revision`` when the rendering
    settings change. ``stored_levels`` are the sizes (y, x) of the resolution levels that OMERO keeps of a large image, the
    full resolution first; empty when it keeps none.
    """

    image_id: int
    pixels_id: int
    group_id: int
    name: str
    shape: tuple[int, int, int, int, int]
    dtype: np.dtype[Any]
    pixel_size_um: tuple[float | None, float | None, float | None]
    channels: tuple[ChannelInfo, ...]
    default_z: int
    default_t: int
    greyscale: bool
    pixels_revision: int
    settings_revision: str
    stored_levels: tuple[tuple[int, int], ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether a plane is too large to be read, sent over Ice (64 MB at most) and kept in one piece."""
        return self.shape[3] * self.shape[4] * self.dtype.itemsize > LARGE_PLANE


def read_image(conn: BlitzGateway, image_id: int) -> ImageInfo:
    """Read what OMERO knows about an image that the user may read, whatever group it is in.

    Raises:
        OpenHCSError: ``image_not_found`` (404) when it does not exist, may not be read or has no pixels;
            ``pixel_type_not_supported`` (422) for one-bit and complex images.
    """
    context = conn.SERVICE_OPTS.copy()
    context.setOmeroGroup(-1)
    query = conn.getQueryService()
    pixels = query.findByQuery(
        "select x from Pixels x join fetch x.image join fetch x.pixelsType join fetch x.channels c "
        "join fetch c.logicalChannel left outer join fetch c.statsInfo where x.image.id = :id",
        _with_id(image_id),
        context,
    )
    if pixels is None:
        raise OpenHCSError("image_not_found", f"Image {image_id} does not exist, or you may not read it.", status=404)
    type_name = unwrap(pixels.getPixelsType().getValue())
    if type_name not in _DTYPES:
        raise OpenHCSError(
            "pixel_type_not_supported",
            f"Image {image_id} has pixels of type {type_name}, which cannot be shown here.",
            status=422,
        )
    rendering = _rendering_settings(conn, context, pixels)
    bindings = list(rendering.copyWaveRendering()) if rendering is not None else []
    channels = tuple(
        _channel(number, channel, bindings[number] if number < len(bindings) else None)
        for number, channel in enumerate(pixels.copyChannels())
    )
    info = ImageInfo(
        image_id=image_id,
        pixels_id=unwrap(pixels.getId()),
        group_id=unwrap(pixels.getDetails().getGroup().getId()),
        name=unwrap(pixels.getImage().getName()) or f"Image {image_id}",
        shape=(
            unwrap(pixels.getSizeT()),
            unwrap(pixels.getSizeC()),
            unwrap(pixels.getSizeZ()),
            unwrap(pixels.getSizeY()),
            unwrap(pixels.getSizeX()),
        ),
        dtype=np.dtype(_DTYPES[type_name]),
        pixel_size_um=(
            micrometres(pixels.getPhysicalSizeZ()),
            micrometres(pixels.getPhysicalSizeY()),
            micrometres(pixels.getPhysicalSizeX()),
        ),
        channels=channels,
        default_z=unwrap(rendering.getDefaultZ()) if rendering is not None else unwrap(pixels.getSizeZ()) // 2,
        default_t=unwrap(rendering.getDefaultT()) if rendering is not None else 0,
        greyscale=rendering is not None and unwrap(rendering.getModel().getValue()) == "greyscale",
        pixels_revision=_updated(pixels),
        settings_revision=f"{unwrap(rendering.getId())}.{_updated(rendering)}" if rendering is not None else "",
    )
    return replace(info, stored_levels=_stored_levels(conn, info)) if info.is_large else info


def read_plane(conn: BlitzGateway, info: ImageInfo, t: int, c: int, z: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Read one whole plane as an array of shape (y, x)."""
    with _pixels_store(conn, info) as store:
        content = store.getPlane(z, c, t)
    return _as_array(content, info, info.shape[3], info.shape[4])


def read_tile(
    conn: BlitzGateway, info: ImageInfo, plane: tuple[int, int, int], y: slice, x: slice, level: int = 0
) -> np.ndarray[Any, np.dtype[Any]]:
    """Read a part of the plane ``(t, c, z)``; ``level`` counts ``info.stored_levels``. Shape as the slices say."""
    t, c, z = plane
    height, width = y.stop - y.start, x.stop - x.start
    with _pixels_store(conn, info) as store:
        if level:
            # OMERO counts from the smallest level up.
            store.setResolutionLevel(len(info.stored_levels) - 1 - level)
        content = store.getTile(z, c, t, x.start, y.start, width, height)
    return _as_array(content, info, height, width)


def _stored_levels(conn: BlitzGateway, info: ImageInfo) -> tuple[tuple[int, int], ...]:
    with _pixels_store(conn, info) as store:
        if store.getResolutionLevels() < 2:
            return ()
        return tuple((level.sizeY, level.sizeX) for level in store.getResolutionDescriptions())


@contextmanager
def _pixels_store(conn: BlitzGateway, info: ImageInfo) -> Iterator[Any]:
    context = conn.SERVICE_OPTS.copy()
    # Stateful services cannot work across groups.
    context.setOmeroGroup(info.group_id)
    store = conn.c.sf.createRawPixelsStore(context)
    try:
        store.setPixelsId(info.pixels_id, False, context)
        yield store
    finally:
        store.close(context)


def _as_array(content: bytes, info: ImageInfo, height: int, width: int) -> np.ndarray[Any, np.dtype[Any]]:
    return np.frombuffer(content, info.dtype.newbyteorder(">")).reshape(height, width).astype(info.dtype)


def _rendering_settings(conn: BlitzGateway, context: Any, pixels: Any) -> Any | None:
    """The user's own settings, else those of the image's owner, else the newest of anybody; None when there are none."""
    found = conn.getQueryService().findAllByQuery(
        "select distinct r from RenderingDef r join fetch r.model join fetch r.waveRendering "
        "where r.pixels.id = :id order by r.id desc",
        _with_id(unwrap(pixels.getId())),
        context,
    )
    by_owner = {unwrap(settings.getDetails().getOwner().getId()): settings for settings in reversed(found)}
    owner = unwrap(pixels.getDetails().getOwner().getId())
    return by_owner.get(conn.getUserId()) or by_owner.get(owner) or next(iter(found), None)


def _channel(number: int, channel: Any, binding: Any | None) -> ChannelInfo:
    logical, statistics = channel.getLogicalChannel(), channel.getStatsInfo()
    wavelength = logical.getEmissionWave()
    # Images made by scripts carry the channel's number in place of a wavelength (nanometres).
    known = wavelength is not None and wavelength.getValue() >= SHORTEST_WAVELENGTH
    label = unwrap(logical.getName()) or (f"{wavelength.getValue():g}" if known else f"Channel {number + 1}")
    source = binding if binding is not None else channel
    colour = [unwrap(part) for part in (source.getRed(), source.getGreen(), source.getBlue())]
    coloured = all(part is not None for part in colour)
    return ChannelInfo(
        label=label,
        colour="".join(f"{part:02X}" for part in colour) if coloured else _SPARE_COLOURS[number % len(_SPARE_COLOURS)],
        active=bool(unwrap(binding.getActive())) if binding is not None else number < len(_SPARE_COLOURS),
        start=unwrap(binding.getInputStart()) if binding is not None else None,
        end=unwrap(binding.getInputEnd()) if binding is not None else None,
        minimum=unwrap(statistics.getGlobalMin()) if statistics is not None else None,
        maximum=unwrap(statistics.getGlobalMax()) if statistics is not None else None,
    )


def _updated(found: Any | None) -> int:
    event = found.getDetails().getUpdateEvent() if found is not None else None
    return unwrap(event.getId()) if event is not None else 0


def _with_id(value: int) -> ParametersI:
    parameters = ParametersI()
    parameters.addId(value)
    return parameters
