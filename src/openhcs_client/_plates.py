# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a plate looks like to the rest of the system: wells, fields and channels with their OMERO ids."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FieldLayout", "PlateLayout", "WellLayout", "plate_format"]

_STANDARD_FORMATS = ((2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldLayout(_Frozen):
    """One field of view: an OMERO image in a well. ``field`` counts from 1; sizes are in pixels and planes."""

    field: int = Field(ge=1)
    image_id: int
    size_x: int
    size_y: int
    size_z: int = 1
    size_c: int = 1
    size_t: int = 1
    pixel_type: str = Field(description="OMERO's name of the pixel type, for example uint16.")


class WellLayout(_Frozen):
    """A well that has at least one image. ``row`` and ``column`` count from zero."""

    well: str
    well_id: int
    row: int
    column: int
    fields: tuple[FieldLayout, ...]


class PlateLayout(_Frozen):
    """A plate as read from OMERO: only wells with images are listed."""

    plate_id: int
    name: str
    group_id: int
    owner_id: int
    rows: int
    columns: int
    channels: tuple[str, ...]
    pixel_size_um: float | None = None
    wells: tuple[WellLayout, ...]

    def well(self, name: str) -> WellLayout:
        """Return the well called ``name``.

        Raises:
            KeyError: when the plate has no such well with images.
        """
        for well in self.wells:
            if well.well == name:
                return well
        raise KeyError(name)


def plate_format(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of the smallest standard plate (6 to 1536 wells) that holds so many; beyond, the numbers themselves.

    >>> plate_format(15, 2)
    (16, 24)
    """
    for height, width in _STANDARD_FORMATS:
        if rows <= height and columns <= width:
            return height, width
    return rows, columns
