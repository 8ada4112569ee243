# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading what a plate looks like, in four calls whatever its size.

Fields of view are numbered as OMERO orders the samples of a well; where a plate was imaged several times, the fields of the
second acquisition follow those of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import unwrap

from openhcs_client import FieldLayout, OpenHCSError, PlateLayout, WellLayout, plate_format, well_name

from .planes import PIXEL_TYPES
from .services import context_of, find_all, project

__all__ = ["read_layout"]

_PLATE = "select p.name, p.details.group.id, p.details.owner.id, p.rows, p.columns from Plate p where p.id = :id"

_FIELDS = (
    "select w.id, w.row, w.column, index(s), i.id, x.sizeX, x.sizeY, x.sizeZ, x.sizeC, x.sizeT, t.value, "
    "x.details.updateEvent.id "
    "from Well w join w.wellSamples s join s.image i join i.pixels x join x.pixelsType t "
    "where w.plate.id = :id order by w.row, w.column, index(s)"
)

_PIXELS = (
    "select x from Pixels x left outer join fetch x.channels c left outer join fetch c.logicalChannel where x.image.id = :id"
)


def read_layout(conn: BlitzGateway, plate_id: int) -> PlateLayout:
    """Read wells with images, their fields, the channels and the pixel size of a plate.

    Raises:
        OpenHCSError: ``plate_not_found`` (404) when it does not exist or may not be read, ``plate_empty`` (422) when no well
            has an image, ``plate_uneven`` (422) when its images differ in their number of channels,
            ``pixel_type_not_supported`` (422) for complex numbers and single bits.
    """
    context = context_of(conn)
    parameters = omero.sys.ParametersI().addId(plate_id)
    plates = project(conn, _PLATE, parameters, context)
    if not plates:
        raise OpenHCSError("plate_not_found", f"Plate {plate_id} does not exist, or you may not read it.", status=404)
    name, group_id, owner_id, rows, columns = plates[0]
    wells = _wells(project(conn, _FIELDS, parameters, context))
    if not wells:
        raise OpenHCSError("plate_empty", f"Plate {plate_id} ({name}) has no images, so nothing can run on it.", status=422)
    _check(wells)
    channels, pixel_size = _channels(conn, wells[0].fields[0].image_id)
    height, width = plate_format(
        max(rows or 0, 1 + max(well.row for well in wells)), max(columns or 0, 1 + max(well.column for well in wells))
    )
    return PlateLayout(
        plate_id=plate_id,
        name=name or f"Plate {plate_id}",
        group_id=group_id,
        owner_id=owner_id,
        rows=height,
        columns=width,
        channels=channels,
        pixel_size_um=pixel_size,
        wells=wells,
    )


def _wells(rows: Iterable[Sequence[Any]]) -> tuple[WellLayout, ...]:
    fields: dict[tuple[int, int, int], list[FieldLayout]] = {}
    for well_id, row, column, _index, image_id, size_x, size_y, size_z, size_c, size_t, pixel_type, change in rows:
        known = fields.setdefault((row, column, well_id), [])
        if any(field.image_id == image_id for field in known):
            continue  # an image with a second set of pixels, from software of long ago; the first one is what OMERO shows
        known.append(
            FieldLayout(
                field=len(known) + 1,
                image_id=image_id,
                size_x=size_x,
                size_y=size_y,
                size_z=size_z,
                size_c=size_c,
                size_t=size_t,
                pixel_type=pixel_type,
                change=change or 0,
            )
        )
    return tuple(
        WellLayout(well=well_name(row, column), well_id=well_id, row=row, column=column, fields=tuple(known))
        for (row, column, well_id), known in fields.items()
    )


def _check(wells: Sequence[WellLayout]) -> None:
    channels = Counter(field.size_c for well in wells for field in well.fields)
    if len(channels) > 1:
        usual = channels.most_common(1)[0][0]
        odd, count = next((well.well, field.size_c) for well in wells for field in well.fields if field.size_c != usual)
        raise OpenHCSError(
            "plate_uneven",
            f"The images of this plate do not all have the same channels: most have {usual}, well {odd} has {count}.",
            status=422,
        )
    for well in wells:
        for field in well.fields:
            if field.pixel_type not in PIXEL_TYPES:
                raise OpenHCSError(
                    "pixel_type_not_supported",
                    f"The images of well {well.well} hold {field.pixel_type} values, which OpenHCS cannot work with.",
                    status=422,
                )


def _channels(conn: BlitzGateway, image_id: int) -> tuple[tuple[str, ...], float | None]:
    pixels = find_all(conn, _PIXELS, omero.sys.ParametersI().addId(image_id), context_of(conn))[0]
    names: list[str] = []
    for number, channel in enumerate(pixels.copyChannels(), start=1):
        name = _channel_name(channel.logicalChannel) or f"Channel {number}"
        # A pipeline names its channels, so no two may share a name.
        names.append(name if name not in names else f"{name} ({number})")
    size = pixels.physicalSizeX
    return tuple(names), omero.model.LengthI(size, "MICROMETER").getValue() if size is not None else None


def _channel_name(logical: omero.model.LogicalChannel | None) -> str | None:
    if logical is None:
        return None
    name = unwrap(logical.name)
    if name:
        return name.strip()
    emission = logical.emissionWave
    return f"{emission.getValue():g}" if emission is not None else None
