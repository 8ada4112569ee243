# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a plate looks like to the rest of the system: wells, fields and channels with their OMERO ids."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FieldLayout", "FieldShape", "PlateLayout", "PlateShape", "WellKind", "WellLayout", "plate_format"]

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
    change: int = Field(default=0, description="OMERO's event in which the pixels last changed; 0 where nobody asked.")


class WellLayout(_Frozen):
    """A well that has at least one image. ``row`` and ``column`` count from zero."""

    well: str
    well_id: int
    row: int
    column: int
    fields: tuple[FieldLayout, ...]


class FieldShape(_Frozen):
    """What the image of a field looks like, whichever it is; sizes are in pixels and planes."""

    size_x: int = Field(ge=1)
    size_y: int = Field(ge=1)
    size_z: int = Field(default=1, ge=1)
    size_t: int = Field(default=1, ge=1)
    pixel_type: str = Field(max_length=20)


class WellKind(_Frozen):
    """Wells that look the same: as many fields, of the same sizes and type. ``fields`` are in the order of the fields."""

    wells: tuple[str, ...] = Field(min_length=1)
    fields: tuple[FieldShape, ...] = Field(min_length=1)


class PlateShape(_Frozen):
    """Some wells of a plate without their ids, alike ones together: all that decides whether and how fast a pipeline runs."""

    plate_id: int
    channels: tuple[str, ...] = Field(min_length=1, max_length=100)
    kinds: tuple[WellKind, ...] = Field(min_length=1)

    @property
    def wells(self) -> list[str]:
        """Every well, kind by kind."""
        return [well for kind in self.kinds for well in kind.wells]


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

    def shape(self, wells: Iterable[str]) -> PlateShape:
        """What the wells called ``wells`` look like.

        Raises:
            KeyError: when the plate has no such well with images.
        """
        known = {well.well: well for well in self.wells}
        kinds: dict[tuple[FieldShape, ...], list[str]] = {}
        for name in wells:
            kinds.setdefault(tuple(_shape_of(field) for field in known[name].fields), []).append(name)
        return PlateShape(
            plate_id=self.plate_id,
            channels=self.channels,
            kinds=tuple(WellKind(wells=tuple(names), fields=fields) for fields, names in kinds.items()),
        )


def _shape_of(field: FieldLayout) -> FieldShape:
    return FieldShape(
        size_x=field.size_x, size_y=field.size_y, size_z=field.size_z, size_t=field.size_t, pixel_type=field.pixel_type
    )


def plate_format(rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of the smallest standard plate (6 to 1536 wells) that holds so many; beyond, the numbers themselves.

    >>> plate_format(15, 2)
    (16, 24)
    """
    for height, width in _STANDARD_FORMATS:
        if rows <= height and columns <= width:
            return height, width
    return rows, columns
