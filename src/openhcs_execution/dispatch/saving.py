# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of an execution goes into OMERO: label images, the table of fields, and where it all came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from openhcs_client import PipelineDocument, PlateLayout, WellState
from openhcs_execution.catalogue.scripts import script_of
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import ResultTarget, ensure_result_plate, save_labels, save_provenance, save_table
from openhcs_execution.queue import executions
from openhcs_execution.queue.reading import read_wells
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import label_key
from openhcs_execution.version import VERSION

__all__ = ["SavedExecution", "save_summary", "save_well"]

log = get_logger(__name__)


@dataclass(frozen=True)
class SavedExecution:
    """An execution as its saver knows it; ``layout`` holds the wells that were asked for."""

    execution: ExecutionRow
    inputs: ExecutionInput
    layout: PlateLayout
    sealed_session: str

    @property
    def target(self) -> ResultTarget:
        return ResultTarget(
            execution_id=self.execution.execution_id,
            user_id=self.execution.owner_id,
            plate=self.layout,
            pipeline_id=self.execution.pipeline_id,
            pipeline_name=self.execution.pipeline_name,
            pipeline_version=self.execution.pipeline_version,
            pipeline_hash=self.execution.pipeline_hash,
        )


def save_well(conn: Any, database: Database, store: ResultStore, saved: SavedExecution, name: str) -> dict[str, int]:
    """Write the label images of a committed well and return their image ids by ``<field>/<name>``. Repeatable."""
    execution = saved.execution
    result_plate = execution.results.get("plate_id")
    if result_plate is None:
        result_plate = ensure_result_plate(conn, saved.target)
        executions.keep_results(database, execution.number, {"plate_id": result_plate})
        execution.results = {**execution.results, "plate_id": result_plate}
    with database.read() as session:
        attempt = session.get_one(WellRow, (execution.number, name)).attempt
    labels = store.read(execution.execution_id, name, attempt).result.labels
    images = save_labels(conn, saved.target, result_plate, saved.layout.well(name), labels)
    return {label_key(field, label): image for (field, label), image in images.items()}


def save_summary(conn: Any, database: Database, store: ResultStore, saved: SavedExecution) -> None:
    """Write the table, the provenance and the attachments. Repeatable; a later call brings them up to date."""
    execution, number = saved.execution, saved.execution.number
    with database.read() as session:
        wells = read_wells(session, number)
    results: dict[str, int | None] = {}
    fields = _fields(store, execution.execution_id, wells)
    if fields is not None:
        results["table_file_id"], results["table_annotation_id"] = save_table(conn, saved.target, fields)
    links = save_provenance(
        conn,
        saved.target,
        json.dumps(json.loads(saved.inputs.document), indent=2, ensure_ascii=False),
        saved.inputs.python or _script(database, saved),
        _provenance(saved, wells),
        execution.results.get("plate_id"),
    )
    results |= links.model_dump(exclude_none=True)
    executions.keep_results(database, number, {name: value for name, value in results.items() if value is not None})


def _fields(store: ResultStore, execution_id: str, wells: Sequence[WellRow]) -> pd.DataFrame | None:
    """The field rows of every committed well, in plate order."""
    tables = [
        pd.read_parquet(path)
        for well in wells
        if well.committed_at is not None
        and (path := store.read(execution_id, well.well, well.attempt).result.fields_table) is not None
    ]
    return pd.concat(tables, ignore_index=True) if tables else None


def _script(database: Database, saved: SavedExecution) -> str:
    """The document as Python, for an execution of which no worker wrote it."""
    python = script_of(PipelineDocument.model_validate_json(saved.inputs.applied_document))
    executions.keep_python(database, saved.execution.number, python)
    return python


def _provenance(saved: SavedExecution, wells: Sequence[WellRow]) -> list[tuple[str, str]]:
    """What a reader of the plate wants to know in a year: what ran on what, with which values and which software."""
    execution = saved.execution
    failed = [well.well for well in wells if well.state != WellState.DONE]
    pairs = [
        ("executed_by", execution.owner_name),
        ("submitted_at", execution.created_at.isoformat()),
        ("wells", f"{len(wells) - len(failed)} of {len(wells)}"),
    ]
    if failed:
        pairs.append(("wells_without_results", ", ".join(failed)))
    pairs += [(f"parameter.{name}", json.dumps(value)) for name, value in sorted(saved.inputs.parameters.items())]
    software = {"omero-openhcs": VERSION, **saved.inputs.versions}
    return pairs + [(f"software.{name}", str(version)) for name, version in sorted(software.items())]
