# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates as OMERO knows them: which ones the user may read, and what they look like.

Everything is read by projections (rows of numbers and strings), so that a 1536-well plate costs a handful of calls.
A plate that the user may not read looks exactly like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omero.rtypes import unwrap
from omero.sys import ParametersI

from openhcs_client import FieldLayout, OpenHCSError, PlateLayout, WellLayout, plate_format, well_name

from .lengths import micrometres

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["PlateLine", "PlateSummary", "list_plates", "open_plate", "plate_names", "plate_of_well", "read_layout"]

_RESULT_DESCRIPTION = "Label images of OpenHCS execution "
"""How the execution service describes the plates that it makes. Only for how a list looks: anybody may write this."""

_PLATE_COLUMNS = "select p.id, p.name, p.details.owner.id, p.details.group.id, p.details.group.name, p.description"


@dataclass(frozen=True)
class PlateSummary:
    """A plate that the user may read, and what OMERO lets them do with it."""

    plate_id: int
    name: str
    group_id: int
    group_name: str
    owner_id: int
    owner_name: str
    can_annotate: bool
    screen_name: str | None


@dataclass(frozen=True)
class PlateLine:
    """A line of the plate list. ``wells`` counts the wells that exist in OMERO, with images or without.

    ``image_id`` is one of its images, for a thumbnail. ``is_result``: an execution made it, it holds label images.
    """

    plate_id: int
    name: str
    owner_id: int
    group_id: int
    group_name: str
    screen_name: str | None
    wells: int
    image_id: int | None
    is_result: bool


def open_plate(conn: BlitzGateway, plate_id: int) -> PlateSummary:
    """Return the plate, when the user may read it.

    Raises:
        OpenHCSError: ``plate_not_found`` (404) when it does not exist or may not be read.
    """
    plate = conn.getObject("Plate", plate_id)
    if plate is None:
        raise OpenHCSError("plate_not_found", f"Plate {plate_id} does not exist, or you may not read it.", status=404)
    details = plate.getDetails()
    owner, group = details.getOwner(), details.getGroup()
    screens = _screens_of(conn, [plate_id])
    return PlateSummary(
        plate_id=plate_id,
        name=plate.getName() or f"Plate {plate_id}",
        group_id=group.getId(),
        group_name=group.getName() or "",
        owner_id=owner.getId(),
        owner_name=" ".join(part for part in (owner.getFirstName(), owner.getLastName()) if part) or owner.getOmeName() or "",
        can_annotate=bool(plate.canAnnotate()),
        screen_name=screens.get(plate_id),
    )


def list_plates(
    conn: BlitzGateway,
    *,
    owner_id: int | None = None,
    screen_id: int | None = None,
    name: str = "",
    results: bool = True,
    limit: int = 24,
    offset: int = 0,
) -> list[PlateLine]:
    """List readable plates, newest first.

    ``name`` keeps those whose name contains it (case does not matter); ``results=False`` leaves out those that executions made.
    """
    conditions, parameters = [], ParametersI()
    if owner_id is not None:
        conditions.append("p.details.owner.id = :owner")
        parameters.addLong("owner", owner_id)
    if name:
        conditions.append("lower(p.name) like :name")
        parameters.addString("name", f"%{name.lower().replace('%', '')}%")
    if not results:
        conditions.append("(p.description is null or p.description not like :result)")
        parameters.addString("result", f"{_RESULT_DESCRIPTION}%")
    joined = "from Plate p"
    if screen_id is not None:
        joined = "from ScreenPlateLink l join l.child p"
        conditions.append("l.parent.id = :screen")
        parameters.addLong("screen", screen_id)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    parameters.page(offset, limit)
    rows = _project(conn, f"{_PLATE_COLUMNS} {joined}{where} order by p.id desc", parameters)
    ids = [row[0] for row in rows]
    counts, screens, images = _well_counts(conn, ids), _screens_of(conn, ids), _first_images(conn, ids)
    return [
        PlateLine(
            plate_id=plate_id,
            name=plate_name or f"Plate {plate_id}",
            owner_id=owner,
            group_id=group_id,
            group_name=group_name or "",
            screen_name=screens.get(plate_id),
            wells=counts.get(plate_id, 0),
            image_id=images.get(plate_id),
            is_result=(description or "").startswith(_RESULT_DESCRIPTION),
        )
        for plate_id, plate_name, owner, group_id, group_name, description in rows
    ]


def plate_names(conn: BlitzGateway, plate_ids: Iterable[int]) -> dict[int, str]:
    """The names of those of these plates that the user may read."""
    wanted = sorted(set(plate_ids))
    if not wanted:
        return {}
    rows = _project(conn, "select p.id, p.name from Plate p where p.id in (:ids)", _with_ids(wanted))
    return {plate_id: name or f"Plate {plate_id}" for plate_id, name in rows}


def plate_of_well(conn: BlitzGateway, well_id: int) -> tuple[int, str]:
    """Return the plate's id and the name of the well.

    Raises:
        OpenHCSError: ``well_not_found`` (404).
    """
    rows = _project(conn, "select w.plate.id, w.row, w.column from Well w where w.id = :id", _with_id(well_id))
    if not rows:
        raise OpenHCSError("well_not_found", f"Well {well_id} does not exist, or you may not read it.", status=404)
    plate_id, row, column = rows[0]
    return plate_id, well_name(row, column)


def read_layout(conn: BlitzGateway, plate: PlateSummary) -> PlateLayout:
    """Read the wells with images, their fields and the plate's channels.

    Fields of view are numbered as OMERO orders the samples of a well, which is how the execution service numbers them too.

    Raises:
        OpenHCSError: ``plate_empty`` (422) when no well has an image.
    """
    fields = _project(
        conn,
        "select w.id, w.row, w.column, index(s), i.id, x.sizeX, x.sizeY, x.sizeZ, x.sizeC, x.sizeT, t.value "
        "from Well w join w.wellSamples s join s.image i join i.pixels x join x.pixelsType t "
        "where w.plate.id = :id order by w.row, w.column, index(s)",
        _with_id(plate.plate_id),
    )
    if not fields:
        raise OpenHCSError(
            "plate_empty", f"Plate {plate.plate_id} ({plate.name}) has no images, so nothing can run on it.", status=422
        )
    wells = _wells(fields)
    nominal = _project(conn, "select p.rows, p.columns from Plate p where p.id = :id", _with_id(plate.plate_id))
    rows, columns = nominal[0]
    height, width = plate_format(
        max(rows or 0, 1 + max(well.row for well in wells)), max(columns or 0, 1 + max(well.column for well in wells))
    )
    first = conn.getObject("Image", wells[0].fields[0].image_id)
    return PlateLayout(
        plate_id=plate.plate_id,
        name=plate.name,
        group_id=plate.group_id,
        owner_id=plate.owner_id,
        rows=height,
        columns=width,
        channels=tuple(str(label) for label in first.getChannelLabels()),
        pixel_size_um=micrometres(first.getPixelSizeX(units=True)),
        wells=wells,
    )


def _wells(rows: Iterable[Sequence[Any]]) -> tuple[WellLayout, ...]:
    fields: dict[tuple[int, int, int], list[FieldLayout]] = {}
    for well_id, row, column, _index, image_id, size_x, size_y, size_z, size_c, size_t, pixel_type in rows:
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
            )
        )
    return tuple(
        WellLayout(well=well_name(row, column), well_id=well_id, row=row, column=column, fields=tuple(found))
        for (row, column, well_id), found in fields.items()
    )


def _well_counts(conn: BlitzGateway, plate_ids: Sequence[int]) -> dict[int, int]:
    if not plate_ids:
        return {}
    rows = _project(
        conn, "select w.plate.id, count(w.id) from Well w where w.plate.id in (:ids) group by w.plate.id", _with_ids(plate_ids)
    )
    return {row[0]: row[1] for row in rows}


def _first_images(conn: BlitzGateway, plate_ids: Sequence[int]) -> dict[int, int]:
    if not plate_ids:
        return {}
    rows = _project(
        conn,
        "select w.plate.id, min(i.id) from WellSample s join s.well w join s.image i "
        "where w.plate.id in (:ids) group by w.plate.id",
        _with_ids(plate_ids),
    )
    return {row[0]: row[1] for row in rows}


def _screens_of(conn: BlitzGateway, plate_ids: Sequence[int]) -> dict[int, str]:
    if not plate_ids:
        return {}
    rows = _project(
        conn,
        "select l.child.id, l.parent.name from ScreenPlateLink l where l.child.id in (:ids) order by l.id",
        _with_ids(plate_ids),
    )
    return {row[0]: row[1] for row in rows}


def _with_id(value: int) -> ParametersI:
    parameters = ParametersI()
    parameters.addId(value)
    return parameters


def _with_ids(values: Sequence[int]) -> ParametersI:
    parameters = ParametersI()
    parameters.addIds(list(values))
    return parameters


def _project(conn: BlitzGateway, hql: str, parameters: ParametersI) -> list[list[Any]]:
    return [unwrap(row) for row in conn.getQueryService().projection(hql, parameters, conn.SERVICE_OPTS)]
