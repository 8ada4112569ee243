# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that a passport says, read from the database and the result bundles of an ended execution."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from openhcs_client import (
    ExecutionStatusName,
    FieldLayout,
    OpenHCSError,
    ParameterValue,
    PassportField,
    PassportInputs,
    PassportLabel,
    PassportMachine,
    PassportOutputs,
    PassportRun,
    PassportWell,
    PassportWellOutput,
    PipelineDocument,
    PlateLayout,
    ResultLinks,
)
from openhcs_execution.catalogue.scripts import script_of
from openhcs_execution.database import ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.engine import EngineResult, Hardware, LabelFile
from openhcs_execution.hashing import array_sha256
from openhcs_execution.queue.reading import read_wells
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import label_key
from openhcs_execution.results.measurements import require_kept
from openhcs_execution.version import VERSION

from .tables import table_sha256

__all__ = ["Gathered", "RunFacts", "gather", "read_facts", "require_ended"]


@dataclass(frozen=True)
class RunFacts:
    """What the database knows of a run. ``layout`` has the wells that were asked for."""

    run: PassportRun
    document: PipelineDocument
    applied: PipelineDocument
    parameters: dict[str, ParameterValue]
    layout: PlateLayout
    wells_done: int


@dataclass(frozen=True)
class Gathered:
    """A passport before it is written; ``results`` are the bundles of the committed wells in plate order."""

    facts: RunFacts
    inputs: PassportInputs
    outputs: PassportOutputs
    python: str
    results: list[EngineResult]

    @property
    def label_files(self) -> dict[str, Path]:
        """The label images on disk by the names of their members."""
        paths = [label.path for result in self.results for label in result.labels]
        names = [label.file for well in self.outputs.wells for label in well.labels if label.file is not None]
        return dict(zip(names, paths, strict=True)) if names else {}


def require_ended(execution: ExecutionRow) -> None:
    """Refuse to describe what may still change.

    Raises:
        OpenHCSError: ``not_ended``, status 409.
    """
    if not ExecutionStatusName(execution.status).is_final:
        raise OpenHCSError("not_ended", "This run has not ended yet. Ask again when it has.", status=409)


def read_facts(session: Session, execution: ExecutionRow) -> RunFacts:
    """What the database knows; the machines are in the bundles and come with :func:`gather`."""
    inputs = session.get_one(ExecutionInput, execution.number)
    wells = read_wells(session, execution.number)
    run = PassportRun(
        execution_id=execution.execution_id,
        status=execution.status,
        pipeline_id=execution.pipeline_id,
        pipeline_version=execution.pipeline_version,
        pipeline_sha256=execution.pipeline_hash,
        executed_by=execution.owner_name,
        test_well=execution.test_well,
        created_at=execution.created_at,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
        software={"omero-openhcs": VERSION, **{name: str(version) for name, version in inputs.versions.items()}},
    )
    return RunFacts(
        run=run,
        document=PipelineDocument.model_validate_json(inputs.document),
        applied=PipelineDocument.model_validate_json(inputs.applied_document),
        parameters=dict(inputs.parameters),
        layout=PlateLayout.model_validate_json(inputs.layout),
        wells_done=sum(well.committed_at is not None for well in wells),
    )


def gather(
    session: Session, store: ResultStore, execution: ExecutionRow, omero_server: str, *, labels: bool = False
) -> Gathered:
    """Read it all. ``labels`` names the label images as members of the zip.

    Raises:
        OpenHCSError: ``not_ended`` (409), ``results_removed`` (410).
    """
    require_ended(execution)
    require_kept(execution)
    facts = read_facts(session, execution)
    rows = read_wells(session, execution.number)
    results = {
        row.well: store.read(execution.execution_id, row.well, row.attempt).result
        for row in rows
        if row.committed_at is not None
    }
    python = session.get_one(ExecutionInput, execution.number).python or script_of(facts.applied)
    machines = _machines(list(results.values()))
    return Gathered(
        facts=RunFacts(**{**vars(facts), "run": facts.run.model_copy(update={"machines": machines})}),
        inputs=_inputs(facts.layout, results, omero_server),
        outputs=PassportOutputs(
            omero=ResultLinks.model_validate(execution.results),
            wells=[_output(row, results.get(row.well), labels) for row in rows],
        ),
        python=python,
        results=[results[row.well] for row in rows if row.well in results],
    )


def _machines(results: Sequence[EngineResult]) -> list[PassportMachine]:
    kinds: Counter[Hardware] = Counter(result.hardware for result in results if result.hardware is not None)
    return [PassportMachine(**kind.model_dump(), wells=wells) for kind, wells in kinds.most_common()]


def _inputs(layout: PlateLayout, results: dict[str, EngineResult], omero_server: str) -> PassportInputs:
    def hashes(well: str) -> dict[int, str]:
        return results[well].input_sha256 if well in results else {}

    return PassportInputs(
        omero_server=omero_server,
        plate_id=layout.plate_id,
        plate_name=layout.name,
        rows=layout.rows,
        columns=layout.columns,
        channels=list(layout.channels),
        pixel_size_um=layout.pixel_size_um,
        wells=[
            PassportWell(
                well=well.well,
                well_id=well.well_id,
                fields=[_field(field, hashes(well.well).get(field.field)) for field in well.fields],
            )
            for well in sorted(layout.wells, key=lambda well: (well.row, well.column))
        ],
    )


def _field(field: FieldLayout, sha256: str | None) -> PassportField:
    return PassportField(**field.model_dump(exclude={"change"}), sha256=sha256)


def _output(row: WellRow, result: EngineResult | None, with_labels: bool) -> PassportWellOutput:
    failure: dict[str, Any] = row.failure or {}
    output = PassportWellOutput(well=row.well, state=row.state, failure=str(failure.get("message", "")))
    if result is None:
        return output
    labels = [_label(row, label, number, with_labels) for number, label in enumerate(result.labels)]
    return output.model_copy(
        update={
            "measurements": json.loads(json.dumps(row.measurements), parse_constant=lambda _: None),  # no NaN in JSON
            "field_rows": row.field_rows,
            "object_rows": row.object_rows,
            "fields_sha256": None if result.fields_table is None else table_sha256(result.fields_table),
            "objects_sha256": None if result.objects_table is None else table_sha256(result.objects_table),
            "labels": labels,
        }
    )


def _label(row: WellRow, label: LabelFile, number: int, with_labels: bool) -> PassportLabel:
    return PassportLabel(
        field=label.field,
        name=label.name,
        objects=label.objects,
        sha256=label.sha256 or array_sha256(np.load(label.path, mmap_mode="r", allow_pickle=False)),
        omero_image_id=row.label_images.get(label_key(label.field, label.name)),
        # Named by position: what a label is called is text for people and never part of a path.
        file=f"labels/{row.well}/{number:04d}.npy" if with_labels else None,
    )
