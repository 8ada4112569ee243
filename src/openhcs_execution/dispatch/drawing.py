# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which objects of a well are drawn in OMERO as ROIs, and on which images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openhcs_client import OpenHCSError, SavingOptions, WellLayout
from openhcs_execution.database import Database
from openhcs_execution.engine import LabelFile
from openhcs_execution.omero_io import ObjectsOnImage, ResultTarget, may_draw_on, present_images, save_rois
from openhcs_execution.queue import wells
from openhcs_execution.results.outlines import object_numbers

__all__ = ["choose_objects", "save_well_rois"]


def save_well_rois(
    conn: Any,
    database: Database,
    number: int,
    target: ResultTarget,
    options: SavingOptions,
    well: WellLayout,
    labels: Sequence[LabelFile],
    label_images: Mapping[tuple[int, str], int],
) -> None:
    """Draw the objects of a well on its images; where OMERO does not allow that, on the label images. Repeatable.

    Fields whose image was deleted meanwhile are left out.
    """
    present = present_images(conn, [field.image_id for field in well.fields], target.plate.group_id)
    sources = {field.field: field.image_id for field in well.fields if field.image_id in present}
    labels = [label for label in labels if label.field in sources]
    if not labels:
        return
    chosen = choose_objects(labels, options.rois_per_field, None)
    wanted = sum(len(numbers) for numbers in chosen.values())
    allowed = wells.plan_rois(database, number, well.well, wanted, options.rois_per_run)
    chosen = choose_objects(labels, options.rois_per_field, allowed)
    wells.note_rois_left_out(database, number, well.well, sum(label.objects for label in labels) - allowed)
    on_source = may_draw_on(conn, list(sources.values()), target.plate.group_id)
    if not on_source and labels and not label_images:
        raise OpenHCSError(
            "rois_not_allowed",
            "OMERO does not let you draw on the images of this plate, and no label images are saved.",
            status=403,
        )
    objects = [
        ObjectsOnImage(
            sources[label.field] if on_source else label_images[(label.field, label.name)],
            label.name,
            label.path,
            chosen[(label.field, label.name)],
        )
        for label in labels
    ]
    save_rois(conn, target, options.rois, objects)


def choose_objects(labels: Sequence[LabelFile], per_field: int, allowed: int | None) -> dict[tuple[int, str], list[int]]:
    """The numbers of the objects to draw by ``(field, name)``: the first ones of each image, and ``allowed`` altogether."""
    chosen: dict[tuple[int, str], list[int]] = {}
    left = {label.field: per_field for label in labels}
    for label in labels:
        numbers = object_numbers(np.load(label.path, allow_pickle=False))[: left[label.field]]
        if allowed is not None:
            numbers = numbers[:allowed]
            allowed -= len(numbers)
        left[label.field] -= len(numbers)
        chosen[(label.field, label.name)] = numbers
    return chosen
