# SPDX-License-Identifier: AGPL-3.0-or-later
"""Does a pipeline fit the images of the chosen wells? Decided from what OMERO knows of them, before one is read.

A well that would fail for its images fails for all of its kind, so it is refused here and not at the first well of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from openhcs_client import FieldShape, PipelineDocument, PipelineStep, PlateShape

from .catalogue import CatalogueEntry, catalogue_entry

__all__ = ["Misfit", "find_misfits", "focal_planes", "projects_focal_planes"]

_SHOWN = 10


@dataclass(frozen=True)
class Misfit:
    """Why wells cannot be computed. ``path`` is the field that can be corrected: ``wells``, or a step of the document."""

    code: str
    path: str
    message: str


def find_misfits(document: PipelineDocument, plate: PlateShape) -> list[Misfit]:
    """Everything about the wells of ``plate`` that the enabled steps of ``document`` cannot work with."""
    return [
        misfit
        for misfit in (
            _time_series(plate),
            _uneven_stacks(plate),
            _unprojected(document, plate),
            _sizes_that_differ(document, plate),
        )
        if misfit is not None
    ]


def focal_planes(fields: Iterable[FieldShape]) -> int:
    """The focal planes of a well."""
    return max(field.size_z for field in fields)


def projects_focal_planes(function_id: str) -> bool:
    """Whether the function brings several focal planes down to one."""
    return "z_index" in catalogue_entry(function_id).grouping.over


def _time_series(plate: PlateShape) -> Misfit | None:
    wells = _wells_where(plate, lambda fields: any(field.size_t > 1 for field in fields))
    if not wells:
        return None
    return Misfit("time_series", "wells", f"Pipelines work on one time point, but these wells have several: {_list(wells)}.")


def _uneven_stacks(plate: PlateShape) -> Misfit | None:
    wells = _wells_where(plate, lambda fields: len({field.size_z for field in fields}) > 1)
    if not wells:
        return None
    return Misfit(
        "stacks_differ", "wells", f"The fields of these wells differ in their number of focal planes: {_list(wells)}."
    )


def _unprojected(document: PipelineDocument, plate: PlateShape) -> Misfit | None:
    """A step that finds or measures something sees one focal plane; a stack must have been projected before it."""
    wells = _wells_where(plate, lambda fields: focal_planes(fields) > 1)
    if not wells:
        return None
    projected = False
    for index, step, entry in _steps(document):
        if step.input == "start":
            projected = False
        if projects_focal_planes(step.function):
            projected = True
        elif not projected and entry.info.outputs != ["image"]:
            return Misfit(
                "too_many_planes",
                f"steps.{index}.function",
                f"{step.name!r} works on one focal plane, but these wells have several: {_list(wells)}. "
                "Put a step that projects them before it.",
            )
    return None


def _sizes_that_differ(document: PipelineDocument, plate: PlateShape) -> Misfit | None:
    together = [(index, step) for index, step, entry in _steps(document) if "site" in entry.grouping.over]
    wells = _wells_where(plate, lambda fields: len({(field.size_y, field.size_x) for field in fields}) > 1)
    if not together or not wells:
        return None
    index, step = together[0]
    return Misfit(
        "sizes_differ",
        f"steps.{index}.function",
        f"{step.name!r} looks at the fields of a well together, but in these wells they differ in size: {_list(wells)}.",
    )


def _steps(document: PipelineDocument) -> Iterable[tuple[int, PipelineStep, CatalogueEntry]]:
    """The steps that run, with their numbers; those with a function that nobody knows are refused elsewhere."""
    for index, step in enumerate(document.steps):
        if not step.enabled:
            continue
        try:
            yield index, step, catalogue_entry(step.function)
        except KeyError:
            continue


def _wells_where(plate: PlateShape, holds: Callable[[Sequence[FieldShape]], bool]) -> list[str]:
    return [well for kind in plate.kinds if holds(kind.fields) for well in kind.wells]


def _list(wells: Sequence[str]) -> str:
    return ", ".join(wells[:_SHOWN]) + (", …" if len(wells) > _SHOWN else "")
