# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where an image lies on its plate, and which images lie before, behind and beside it."""

from __future__ import annotations

from dataclasses import dataclass

from openhcs_client import PlateLayout, WellLayout

__all__ = ["Place", "Step", "find_place"]


@dataclass(frozen=True)
class Step:
    """A neighbouring image: what to call it, and its id."""

    title: str
    image_id: int


@dataclass(frozen=True)
class Place:
    """The well and field of an image. The neighbouring wells are shown at the same field, or at their last one."""

    plate_id: int
    plate_name: str
    well: str
    field: int
    fields: tuple[Step, ...]
    previous_well: Step | None
    next_well: Step | None


def find_place(layout: PlateLayout, image_id: int) -> Place | None:
    """Find an image on a plate; None when it is not there."""
    for number, well in enumerate(layout.wells):
        field = next((field.field for field in well.fields if field.image_id == image_id), None)
        if field is None:
            continue
        return Place(
            plate_id=layout.plate_id,
            plate_name=layout.name,
            well=well.well,
            field=field,
            fields=tuple(Step(f"Field {entry.field}", entry.image_id) for entry in well.fields),
            previous_well=_step(layout.wells[number - 1], field) if number > 0 else None,
            next_well=_step(layout.wells[number + 1], field) if number + 1 < len(layout.wells) else None,
        )
    return None


def _step(well: WellLayout, field: int) -> Step:
    return Step(well.well, well.fields[min(field, len(well.fields)) - 1].image_id)
