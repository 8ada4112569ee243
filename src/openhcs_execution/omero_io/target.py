# SPDX-License-Identifier: AGPL-3.0-or-later
"""What results are saved for, and how everything that belongs to one execution is marked and found again in OMERO.

=====================  =================================================================================================
object                 carries the execution id in
=====================  =================================================================================================
result plate           ``externalIdentifier``
annotations, ROIs,      ``description``, always ``OpenHCS execution <id>: <what it is>``
new datasets and tags
OMERO.table            its file's name
label and processed    the key ``execution_id`` of their map annotation
images
=====================  =================================================================================================

Only objects of the execution's owner count: in a shared group anybody can write any text into an annotation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openhcs_client import DEFAULT_RESULT_NAME, PlateLayout, SavingTarget, fill_template

__all__ = ["EXECUTION_NS", "LABEL_NS", "FIGURE_NS", "PIPELINE_NS", "PROCESSED_NS", "Container", "Mark", "ResultTarget", "mark"]

EXECUTION_NS = "openhcs.org/omero/execution/v1"
"""Namespace of the provenance annotation."""

PIPELINE_NS = "openhcs.org/omero/pipeline/v1"
"""Namespace of the attached pipeline, as JSON and as Python."""

LABEL_NS = "openhcs.org/omero/label/v1"
"""Namespace of the annotation of a label image."""

PROCESSED_NS = "openhcs.org/omero/processed/v1"
"""Namespace of the annotation of a processed image."""

FIGURE_NS = "openhcs.org/omero/figure/v1"
"""Namespace of an attached figure."""


class Mark:
    """What an annotation is, as the end of its description."""

    PROVENANCE = "provenance"
    PIPELINE_JSON = "pipeline (JSON)"
    PIPELINE_PYTHON = "pipeline (Python)"
    TABLE = "measurements"
    LABEL = "label image"
    PROCESSED = "processed image"
    ROI = "ROI"
    DATASET = "results"
    TAG = "tag"
    FIGURES = tuple(f"figure {number}" for number in range(1, 7))
    ON_CONTAINERS = (PROVENANCE, PIPELINE_JSON, PIPELINE_PYTHON, TABLE, *FIGURES)


@dataclass(frozen=True)
class Container:
    """What images lie in and annotations hang on: a plate or a dataset."""

    kind: Literal["Plate", "Dataset"]
    object_id: int


@dataclass(frozen=True)
class ResultTarget:
    """An execution whose results are saved: ``user_id`` owns it, and ``plate`` is the one it ran on.

    ``name`` is that of the result plate or new dataset, and ``tags`` are its tags; with the destination ``dataset`` images
    go to ``dataset_id``.
    """

    execution_id: str
    user_id: int
    plate: PlateLayout
    pipeline_id: str
    pipeline_name: str
    pipeline_version: int
    pipeline_hash: str
    name: str = ""
    tags: tuple[str, ...] = ()
    destination: SavingTarget = SavingTarget.PLATE
    dataset_id: int | None = None

    @property
    def result_name(self) -> str:
        """Name of the result plate or new dataset, within OMERO's limit for names."""
        values = {
            "plate": self.plate.name,
            "pipeline": self.pipeline_name,
            "version": str(self.pipeline_version),
            "execution": self.execution_id[:8],
        }
        return self.name or fill_template(DEFAULT_RESULT_NAME, values)

    def mark(self, what: str) -> str:
        """The description of one of this execution's annotations."""
        return mark(self.execution_id, what)


def mark(execution_id: str, what: str) -> str:
    """The description of an annotation of an execution.

    >>> mark("3f2a", Mark.TABLE)
    'OpenHCS execution 3f2a: measurements'
    """
    return f"OpenHCS execution {execution_id}: {what}"
