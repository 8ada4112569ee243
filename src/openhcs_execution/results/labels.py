# SPDX-License-Identifier: AGPL-3.0-or-later
"""Label images of a committed well, from its bundle."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from openhcs_client import OpenHCSError
from openhcs_execution.database import ExecutionRow
from openhcs_execution.engine import LabelFile

from .bundle import ResultStore
from .measurements import committed_wells, normal_well_name, require_kept

__all__ = ["label_key", "list_labels", "read_label_image"]


def label_key(field: int, name: str) -> str:
    """How a label image is called in the database."""
    return f"{field}/{name}"


def list_labels(session: Session, store: ResultStore, execution: ExecutionRow, well: str) -> list[tuple[LabelFile, int | None]]:
    """The label images of a well with their OMERO image ids, where they are saved; empty before the well is computed.

    Raises:
        OpenHCSError: ``unknown_well``, status 404; ``results_removed``, status 410.
    """
    wells = committed_wells(session, execution, normal_well_name(session, execution, well))
    require_kept(execution)
    return [
        (label, row.label_images.get(label_key(label.field, label.name)))
        for row in wells
        for label in store.read(execution.execution_id, row.well, row.attempt).result.labels
    ]


def read_label_image(
    session: Session, store: ResultStore, execution: ExecutionRow, well: str, field: int, name: str
) -> np.ndarray:
    """Return a label image of shape (y, x), int32.

    Raises:
        OpenHCSError: ``unknown_well`` or ``labels_not_found``, status 404.
    """
    for label, _ in list_labels(session, store, execution, well):
        if (label.field, label.name) == (field, name):
            return np.load(label.path, allow_pickle=False)
    raise OpenHCSError("labels_not_found", f"Well {well} has no label image {name!r} of field {field}.", status=404)
