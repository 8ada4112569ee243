# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks the execution service and OMERO, in the reader's name, for what a report needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from omero_openhcs.omero_access.field_pictures import draw_image
from omero_openhcs.omero_access.images import read_image, read_plane
from omero_openhcs.omero_access.label_images import find_label_images
from omero_openhcs.omero_access.plates import open_plate, read_layout
from omero_openhcs.quality import quality_of
from openhcs_client import ExecutionDetail, FunctionInfo, OpenHCSError, PipelineDocument

from .content import ReportSources, main_measurement
from .examples import choose_examples
from .pictures import LONGEST_SIDE, Labels, take_pictures

if TYPE_CHECKING:
    from omero_openhcs.identity import Asker

__all__ = ["LARGEST_LABELS", "gather"]

LARGEST_LABELS = 64_000_000
"""Pixels of a label image beyond which it is not read for a picture."""


def gather(asker: Asker, execution_id: str) -> ReportSources:
    """Everything for the report of an execution that the asker may see.

    What is missing for good (the plate, an image, label images) is told in the report. Whoever may not see the execution is
    refused by the service, as on the results page.
    """
    execution = asker.service.execution(execution_id)
    document = PipelineDocument.model_validate(execution.document)
    troubles: list[str] = []
    quality = None
    try:
        quality = quality_of(asker, execution)
    except OpenHCSError as error:
        troubles.append(f"The quality is not known: {error.message}")
    examples = choose_examples(execution.wells, main_measurement(execution, document), quality)
    pictures = take_pictures(_Fields(asker, execution), examples) if examples else []
    return ReportSources(
        execution=execution,
        document=document,
        quality=quality,
        pictures=pictures,
        functions=_functions(asker, document, troubles),
        made_at=datetime.now(UTC),
        versions=_versions(asker, troubles),
        screen=_screen_of(asker, execution.plate_id, troubles),
        methods=_methods(asker, execution, troubles),
        troubles=troubles,
    )


def _functions(asker: Asker, document: PipelineDocument, troubles: list[str]) -> dict[str, FunctionInfo]:
    """What the catalogue says of the steps' functions; those that are gone keep their parameters' own names."""
    wanted = {step.function for step in document.steps}
    try:
        return {info.id: info for info in asker.service.functions(offered=False) if info.id in wanted}
    except OpenHCSError as error:
        troubles.append(f"Titles and units of parameters are incomplete: {error.message}")
        return {}


def _versions(asker: Asker, troubles: list[str]) -> list[tuple[str, str]]:
    """What runs now; what ran then is in the provenance that the run saved in OMERO."""
    try:
        health = asker.service.health()
    except OpenHCSError as error:
        troubles.append(f"The versions of the software are not known: {error.message}")
        return []
    return [("execution service", health.version), ("OpenHCS", health.openhcs_version or "unknown")]


def _methods(asker: Asker, execution: ExecutionDetail, troubles: list[str]) -> str:
    """The text for a paper; none while the run may still change."""
    if not execution.status.is_final or execution.test_well:
        return ""
    try:
        return asker.service.methods(execution.execution_id).text
    except OpenHCSError as error:
        troubles.append(f"The methods are missing: {error.message}")
        return ""


def _screen_of(asker: Asker, plate_id: int, troubles: list[str]) -> str:
    try:
        return open_plate(asker.omero, plate_id).screen_name or ""
    except OpenHCSError as error:
        troubles.append(error.message)
        return ""


class _Fields:
    """The fields of an execution: pictures from OMERO; objects from the service or, when it removed them, from OMERO."""

    def __init__(self, asker: Asker, execution: ExecutionDetail) -> None:
        self._asker = asker
        self._execution = execution
        self._images: dict[tuple[str, int], int] | None = None

    def picture(self, well: str, field: int) -> bytes:
        return draw_image(self._asker.omero, self._image_id(well, field), LONGEST_SIDE)

    def labels(self, well: str, field: int) -> Mapping[str, Labels]:
        service, execution_id = self._asker.service, self._execution.execution_id
        try:
            names = [info.name for info in service.labels(execution_id, well) if info.field == field]
            return {name: np.asarray(service.label_image(execution_id, well, field, name)) for name in names}
        except OpenHCSError as error:
            saved = self._saved_labels(self._image_id(well, field))
            if not saved:
                raise OpenHCSError("labels_not_found", f"Outlines are missing: {error.message}", status=error.status) from error
            return saved

    def _image_id(self, well: str, field: int) -> int:
        if self._images is None:
            layout = read_layout(self._asker.omero, open_plate(self._asker.omero, self._execution.plate_id))
            self._images = {(each.well, found.field): found.image_id for each in layout.wells for found in each.fields}
        if (well, field) not in self._images:
            raise OpenHCSError("image_not_found", f"Field {field} of well {well} is not in OMERO any more.", status=404)
        return self._images[well, field]

    def _saved_labels(self, image_id: int) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        found = {}
        for label in find_label_images(self._asker.omero, image_id):
            if label.execution_id == self._execution.execution_id and label.size[0] * label.size[1] <= LARGEST_LABELS:
                info = read_image(self._asker.omero, label.image_id)
                found[label.name] = read_plane(self._asker.omero, info, t=0, c=0, z=0)
        return found
