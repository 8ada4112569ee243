# SPDX-License-Identifier: AGPL-3.0-or-later
"""Puts a plate into the sandbox's store directly, pixels and all, within one transaction.

Much faster than going through a client, which matters at the first start of a demo. Plates of users come in through
`omero_sandbox.loading`, over the same calls as with any OMERO.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import omero.model
from omero.model.enums import UnitsLength
from omero.rtypes import rdouble, rint, rstring, unwrap

from omero_sandbox.pixels.buffers import PixelBuffer, PixelShape, pixel_path
from omero_sandbox.security.caller import Caller
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save
from openhcs_client import well_name

__all__ = ["Channel", "FieldContent", "PlateContent", "WellContent", "write_plate"]

_NANOMETER, _MICROMETER = UnitsLength.NANOMETER, UnitsLength.MICROMETER


@dataclass(frozen=True)
class Channel:
    """A channel; colour as red, green, blue of 0 to 255."""

    name: str
    colour: tuple[int, int, int]
    emission_nm: float | None = None


@dataclass(frozen=True)
class FieldContent:
    """A field: its pixels, (channel, y, x), and where the stage stood, in µm."""

    image: np.ndarray
    stage_um: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class WellContent:
    """A well with its fields and with key-value pairs that describe it."""

    row: int
    column: int
    fields: Sequence[FieldContent]
    notes: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class PlateContent:
    """A plate. ``wells`` may be a generator, so that not all pixels are in memory at once."""

    name: str
    description: str
    rows: int
    columns: int
    channels: Sequence[Channel]
    pixel_size_um: float
    wells: Iterable[WellContent] = field(repr=False)
    notes_namespace: str = ""


def write_plate(database: Database, content: PlateContent, caller: Caller, screen: Any = None) -> Any:
    """Store a plate as the caller's, in her group, and return it (unloaded); ``screen`` is the screen to put it into.

    Everything is stored, or nothing; pixel files of a failed attempt are swept at the next start.
    """
    with database.transaction(write=True):
        plate = _plate(content)
        acquisition = omero.model.PlateAcquisitionI()
        acquisition.name = rstring("Run 1")
        plate.addPlateAcquisition(acquisition)
        new: list[Any] = [plate]
        if screen is not None:
            new.append(_link(omero.model.ScreenPlateLinkI(), screen, plate))
        save(database, new, caller)
        parent = omero.model.PlateI(unwrap(plate.id), False)
        run = omero.model.PlateAcquisitionI(unwrap(acquisition.id), False)
        for well in content.wells:
            _write_well(database, content, well, parent, run, caller)
    return parent


def _plate(content: PlateContent) -> Any:
    plate = omero.model.PlateI()
    plate.name, plate.description = rstring(content.name), rstring(content.description)
    plate.rows, plate.columns = rint(content.rows), rint(content.columns)
    plate.rowNamingConvention, plate.columnNamingConvention = rstring("letter"), rstring("number")
    return plate


def _write_well(database: Database, content: PlateContent, well: WellContent, plate: Any, run: Any, caller: Caller) -> None:
    stored = omero.model.WellI()
    stored.plate, stored.row, stored.column = plate, rint(well.row), rint(well.column)
    name = well_name(well.row, well.column)
    pixels = []
    for number, each in enumerate(well.fields, 1):
        image, its_pixels = _image(content, each, f"{name}, field {number}")
        sample = omero.model.WellSampleI()
        sample.image, sample.plateAcquisition = image, run
        sample.posX, sample.posY = (omero.model.LengthI(value, _MICROMETER) for value in each.stage_um)
        stored.addWellSample(sample)
        pixels.append(its_pixels)
    new: list[Any] = [stored]
    if well.notes:
        notes = omero.model.MapAnnotationI()
        notes.ns = rstring(content.notes_namespace)
        notes.mapValue = [omero.model.NamedValue(key, value) for key, value in well.notes]
        new.append(_link(omero.model.WellAnnotationLinkI(), stored, notes))
    save(database, new, caller)
    for its_pixels, each in zip(pixels, well.fields, strict=True):
        _write_pixels(database, unwrap(its_pixels.id), each.image)


def _image(content: PlateContent, each: FieldContent, name: str) -> tuple[Any, Any]:
    size_c, size_y, size_x = each.image.shape
    image = omero.model.ImageI()
    image.name = rstring(f"{content.name} [{name}]")
    pixels = omero.model.PixelsI()
    pixels.sizeX, pixels.sizeY, pixels.sizeC = rint(size_x), rint(size_y), rint(size_c)
    pixels.sizeZ = pixels.sizeT = rint(1)
    pixels.sha1 = rstring("Pending...")  # OMERO's word for a checksum that is not known yet
    pixels.pixelsType = omero.model.PixelsTypeI()
    pixels.pixelsType.value = rstring(each.image.dtype.name)
    pixels.dimensionOrder = omero.model.DimensionOrderI()
    pixels.dimensionOrder.value = rstring("XYZCT")
    pixels.physicalSizeX = omero.model.LengthI(content.pixel_size_um, _MICROMETER)
    pixels.physicalSizeY = omero.model.LengthI(content.pixel_size_um, _MICROMETER)
    for channel, plane in zip(content.channels, each.image, strict=True):
        pixels.addChannel(_channel(channel, plane))
    image.addPixels(pixels)
    return image, pixels


def _channel(channel: Channel, plane: np.ndarray) -> Any:
    logical = omero.model.LogicalChannelI()
    logical.name = rstring(channel.name)
    if channel.emission_nm is not None:
        logical.emissionWave = omero.model.LengthI(channel.emission_nm, _NANOMETER)
    stats = omero.model.StatsInfoI()
    stats.globalMin, stats.globalMax = rdouble(float(plane.min())), rdouble(float(plane.max()))
    stored = omero.model.ChannelI()
    stored.logicalChannel, stored.statsInfo = logical, stats
    stored.red, stored.green, stored.blue = (rint(part) for part in channel.colour)
    stored.alpha = rint(255)
    return stored


def _write_pixels(database: Database, pixels_id: int, image: np.ndarray) -> None:
    size_c, size_y, size_x = image.shape
    buffer = PixelBuffer(pixel_path(database.folder, pixels_id), PixelShape(size_x, size_y, 1, size_c, 1), image.dtype.name)
    buffer.write_timepoint(0, image[:, None])
    database.execute("UPDATE e_Pixels SET c_sha1 = ? WHERE id = ?", buffer.sha1().hex(), pixels_id)


def _link(link: Any, parent: Any, child: Any) -> Any:
    link.parent, link.child = parent, child
    return link
