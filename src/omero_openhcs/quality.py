# SPDX-License-Identifier: AGPL-3.0-or-later
"""The quality of an execution, with the control wells as OMERO knows them at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openhcs_client import OpenHCSError, PlateControls, QualityReport

from .omero_access.control_wells import read_controls
from .omero_access.plates import open_plate

if TYPE_CHECKING:
    from openhcs_client import Execution

    from .identity import Asker

__all__ = ["quality_of"]


def quality_of(asker: Asker, execution: Execution, measurement: str | None = None) -> QualityReport:
    """Statistics so far; with ``measurement`` of that one, with its B-scores."""
    controls = _controls_of(asker, execution.plate_id)
    roles = {entry.well: entry.role for entry in controls.wells} if controls else {}
    report = asker.service.quality(execution.execution_id, measurement=measurement, roles=roles)
    return report.model_copy(update={"controls": controls})


def _controls_of(asker: Asker, plate_id: int) -> PlateControls | None:
    """None when the plate is gone or not readable any more: the figures without controls are still worth having."""
    try:
        return read_controls(asker.omero, open_plate(asker.omero, plate_id), asker.person.user_id)
    except OpenHCSError as error:
        if error.code != "plate_not_found":
            raise
        return None
