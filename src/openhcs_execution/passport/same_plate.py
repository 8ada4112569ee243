# SPDX-License-Identifier: AGPL-3.0-or-later
"""May what ran on one plate be run on another as *the same*? Only where wells, channels and images look alike."""

from __future__ import annotations

from collections.abc import Iterator

from openhcs_client import FieldShape, OpenHCSError, PlateLayout, PlateShape, well_name, well_position

__all__ = ["require_same_plate"]

_SHOWN = 10


def require_same_plate(expected: PlateShape, layout: PlateLayout) -> None:
    """Refuse a plate that lacks wells of ``expected``, or whose channels or images differ. Wells beyond those do not matter.

    Raises:
        OpenHCSError: ``plate_differs``, status 422, with every difference in words.
    """
    differences = list(_differences(expected, layout))
    if differences:
        raise OpenHCSError(
            "plate_differs",
            f"Plate {layout.plate_id} is not like the plate of the passport: {'; '.join(differences)}.",
            status=422,
            field_errors={"plate_id": "differs from the plate of the passport"},
        )


def _differences(expected: PlateShape, layout: PlateLayout) -> Iterator[str]:
    if expected.channels != layout.channels:
        yield f"its channels are {', '.join(layout.channels)} instead of {', '.join(expected.channels)}"
    there = {well.well for well in layout.wells}
    wanted = {_normal(name): kind.fields for kind in expected.kinds for name in kind.wells}
    missing = [name for name in wanted if name not in there]
    if missing:
        yield f"it has no images in {_shown(missing)}"
    found = {name: kind.fields for kind in layout.shape(name for name in wanted if name in there).kinds for name in kind.wells}
    other = [name for name, fields in found.items() if fields != wanted[name]]
    if other:
        yield f"the images of {_shown(other)} are {_images(found[other[0]])} instead of {_images(wanted[other[0]])}"


def _normal(name: str) -> str:
    try:
        return well_name(*well_position(name))
    except ValueError:
        return name[:10]


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more wells" if len(names) > _SHOWN else "")


def _images(fields: tuple[FieldShape, ...]) -> str:
    kinds = dict.fromkeys(
        f"{field.size_x} × {field.size_y} pixels"
        + (f" × {field.size_z} focal planes" if field.size_z > 1 else "")
        + (f" × {field.size_t} time points" if field.size_t > 1 else "")
        + f" of {field.pixel_type}"
        for field in fields
    )
    return f"{len(fields)} field{'' if len(fields) == 1 else 's'} of {' or '.join(kinds)}"
