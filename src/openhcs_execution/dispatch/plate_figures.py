# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which measurements of an execution become figures, and attaching them in OMERO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openhcs_client import Measurement, PipelineDocument
from openhcs_execution.database import WellRow
from openhcs_execution.omero_io import FIGURE_NS, Container, Mark, ResultTarget, annotated_containers, attach_file
from openhcs_execution.results.figures import plate_heat_map

__all__ = ["chosen_measurements", "save_figures"]


def chosen_measurements(document: PipelineDocument, wells: Sequence[WellRow]) -> list[Measurement]:
    """The primary measurement and those after it in the document, as many as there are figures, that any well has."""
    there = {name for well in wells for name, value in well.measurements.items() if value is not None}
    found = [each for each in document.measurements if each.level == "well" and each.name in there]
    found.sort(key=lambda each: each.name != document.primary_measurement)
    return found[: len(Mark.FIGURES)]


def save_figures(
    conn: Any, target: ResultTarget, result: Container | None, document: PipelineDocument, wells: Sequence[WellRow]
) -> list[int]:
    """Attach the figures where the provenance is and return the ids of the annotations. Repeatable: contents are replaced."""
    chosen = chosen_measurements(document, wells)
    if not chosen:
        return []
    containers = annotated_containers(conn, target, result)
    return [
        attach_file(
            conn,
            target,
            containers,
            ns=FIGURE_NS,
            what=what,
            name=f"{target.pipeline_id}-v{target.pipeline_version}-{measurement.name}.png",
            mimetype="image/png",
            content=plate_heat_map(
                measurement.title,
                measurement.unit,
                {(well.row, well.column): well.measurements.get(measurement.name) for well in wells},
                target.plate.rows,
                target.plate.columns,
                f"{target.plate.name} · {target.pipeline_name} v{target.pipeline_version} · {target.execution_id[:8]}",
            ),
        )
        for what, measurement in zip(Mark.FIGURES, chosen, strict=False)
    ]
