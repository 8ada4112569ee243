# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of an execution goes into OMERO, as its options say: label images, ROIs, the table of fields, and where it all came
from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from openhcs_client import PipelineDocument, PlateLayout, RoiKind, SavingOptions, WellState, fill_template
from openhcs_execution.catalogue.scripts import script_of
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, WellRow
from openhcs_execution.logging import get_logger
from openhcs_execution.omero_io import (
    Container,
    ResultTarget,
    ensure_result,
    present_images,
    save_images,
    save_images_in_dataset,
    save_provenance,
    save_table,
    save_tags,
)
from openhcs_execution.queue import executions
from openhcs_execution.queue.reading import read_wells
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.results.labels import label_key
from openhcs_execution.version import VERSION

from .drawing import save_well_rois
from .plate_figures import save_figures

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SavedExecution", "forget_images", "save_summary", "save_well"]

log = get_logger(__name__)


@dataclass(frozen=True)
class SavedExecution:
    """An execution as its saver knows it; ``layout`` holds the wells that were asked for."""

    execution: ExecutionRow
    inputs: ExecutionInput
    layout: PlateLayout
    sealed_session: str

    @property
    def options(self) -> SavingOptions:
        return SavingOptions.model_validate(self.inputs.saving)

    @property
    def target(self) -> ResultTarget:
        options, values = self.options, self._template_values()
        return ResultTarget(
            execution_id=self.execution.execution_id,
            user_id=self.execution.owner_id,
            plate=self.layout,
            pipeline_id=self.execution.pipeline_id,
            pipeline_name=self.execution.pipeline_name,
            pipeline_version=self.execution.pipeline_version,
            pipeline_hash=self.execution.pipeline_hash,
            name=fill_template(options.name, values),
            tags=tuple(fill_template(tag, values) for tag in options.tags),
            destination=options.target,
            dataset_id=options.dataset_id,
        )

    @property
    def result(self) -> Container | None:
        """What the images lie in, as far as it is known to be there."""
        results = self.execution.results
        if results.get("plate_id") is not None:
            return Container("Plate", results["plate_id"])
        return Container("Dataset", results["dataset_id"]) if results.get("dataset_id") is not None else None

    def _template_values(self) -> dict[str, str]:
        execution = self.execution
        return {
            "plate": execution.plate_name,
            "pipeline": execution.pipeline_name,
            "version": str(execution.pipeline_version),
            "date": execution.created_at.date().isoformat(),
            "user": execution.owner_name,
            "execution": execution.execution_id[:8],
        }


def save_well(conn: Any, database: Database, store: ResultStore, saved: SavedExecution, name: str) -> dict[str, int]:
    """Write what is wanted of a committed well and return the ids of its label images by ``<field>/<name>``. Repeatable."""
    number, options = saved.execution.number, saved.options
    computed = store.read(saved.execution.execution_id, name, _attempt(database, number, name)).result
    labels = computed.labels if options.labels else []
    processed = computed.images if options.processed else []
    images: dict[tuple[int, str], int] = {}
    if labels or processed:
        container = _result(conn, database, saved)
        save_them = save_images if container.kind == "Plate" else save_images_in_dataset
        images = save_them(conn, saved.target, container.object_id, saved.layout.well(name), labels, processed)
    if options.rois is not RoiKind.NONE:
        save_well_rois(conn, database, number, saved.target, options, saved.layout.well(name), computed.labels, images)
    return {label_key(field, label): image for (field, label), image in images.items()}


def forget_images(database: Database, store: ResultStore, saved: SavedExecution, name: str) -> None:
    """Give the room of a well's processed images free, once OMERO has them."""
    if saved.options.processed:
        store.discard_images(saved.execution.execution_id, name, _attempt(database, saved.execution.number, name))


def _attempt(database: Database, number: int, name: str) -> int:
    with database.read() as session:
        return session.get_one(WellRow, (number, name)).attempt


def _result(conn: Any, database: Database, saved: SavedExecution) -> Container:
    """What the images lie in; made at the first well, and remembered."""
    if saved.result is None:
        container = ensure_result(conn, saved.target)
        found = {"plate_id" if container.kind == "Plate" else "dataset_id": container.object_id}
        executions.keep_results(database, saved.execution.number, found)
        saved.execution.results = {**saved.execution.results, **found}
    assert saved.result is not None
    return saved.result


def save_summary(conn: Any, database: Database, store: ResultStore, saved: SavedExecution) -> str:
    """Write the table, the tags, the provenance and the attachments. Repeatable; a later call brings them up to date.

    Returns what the user should know about it, as a sentence; empty when there is nothing.
    """
    execution, number = saved.execution, saved.execution.number
    with database.read() as session:
        wells = read_wells(session, number)
    left_out = _left_out(conn, saved, wells)
    results: dict[str, int | None] = {}
    fields = _fields(store, execution.execution_id, wells) if saved.options.table else None
    if fields is not None:
        results["table_file_id"], results["table_annotation_id"] = save_table(conn, saved.target, fields)
    if saved.options.figures:
        save_figures(conn, saved.target, saved.result, PipelineDocument.model_validate_json(saved.inputs.document), wells)
    if saved.result is not None:
        save_tags(conn, saved.target, saved.result)
    links = save_provenance(
        conn,
        saved.target,
        json.dumps(json.loads(saved.inputs.document), indent=2, ensure_ascii=False),
        saved.inputs.python or _script(database, saved),
        _provenance(saved, wells, left_out),
        execution.results.get("plate_id"),
    )
    results |= {name: value for name, value in links.model_dump().items() if name in _LINKS}
    if saved.options.rois is not RoiKind.NONE:
        results["rois"], results["rois_left_out"] = _rois(wells)
    executions.keep_results(database, number, {name: value for name, value in results.items() if value is not None})
    return " ".join(part for part in (_note(saved, wells), _left_out_note(left_out)) if part)


_NAMED = 10
"""Fields that a note names one by one."""
_LINKS = ("plate_id", "dataset_id", "provenance_annotation_id", "pipeline_annotation_id")


def _rois(wells: Sequence[WellRow]) -> tuple[int, int]:
    """How many ROIs were saved, and how many objects got none."""
    return sum(well.rois or 0 for well in wells), sum(well.rois_left_out for well in wells)


def _note(saved: SavedExecution, wells: Sequence[WellRow]) -> str:
    drawn, left_out = _rois(wells)
    if not left_out:
        return ""
    options = saved.options
    return (
        f"{drawn:,} ROIs were saved; {left_out:,} objects got none, because the caps of {options.rois_per_field:,} for "
        f"an image and {options.rois_per_run:,} for the run were reached. Label images and measurements have all objects."
    )


def _left_out(conn: Any, saved: SavedExecution, wells: Sequence[WellRow]) -> list[str]:
    """Fields of which nothing was saved, as their image was deleted from OMERO before that: ``field 2 of well A01``."""
    if not (saved.options.labels or saved.options.processed or saved.options.rois is not RoiKind.NONE):
        return []
    done = {row.well: row for row in wells if row.state == WellState.DONE}
    places = [(well, field) for well in saved.layout.wells if well.well in done for field in well.fields]
    present = present_images(conn, [field.image_id for _well, field in places], saved.layout.group_id)
    gone = [(well.well, field.field) for well, field in places if field.image_id not in present]
    if saved.options.labels:  # it may have been deleted later
        gone = [each for each in gone if not any(key.startswith(label_key(each[1], "")) for key in done[each[0]].label_images)]
    return [f"field {field} of well {well}" for well, field in gone]


def _left_out_note(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    named = ", ".join(left_out[:_NAMED]) + (f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else "")
    return f"No images or ROIs of {named} were saved: the original was deleted from OMERO meanwhile. The measurements are kept."


def _fields(store: ResultStore, execution_id: str, wells: Sequence[WellRow]) -> pd.DataFrame | None:
    """The field rows of every committed well, in plate order."""
    tables = [
        pq.ParquetFile(path).read()
        for well in wells
        if well.committed_at is not None
        and (path := store.read(execution_id, well.well, well.attempt).result.fields_table) is not None
    ]
    # A measurement that is whole in one well and missing or broken in another becomes a number for all of them.
    return pa.concat_tables(tables, promote_options="permissive").to_pandas() if tables else None


def _script(database: Database, saved: SavedExecution) -> str:
    """The document as Python, for an execution of which no worker wrote it."""
    python = script_of(PipelineDocument.model_validate_json(saved.inputs.applied_document))
    executions.keep_python(database, saved.execution.number, python)
    return python


def _provenance(saved: SavedExecution, wells: Sequence[WellRow], left_out: Sequence[str]) -> list[tuple[str, str]]:
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
    pairs += _saved_pairs(saved, wells)
    if left_out:
        pairs.append(("without_original", ", ".join(left_out)))
    pairs += [(f"parameter.{name}", json.dumps(value)) for name, value in sorted(saved.inputs.parameters.items())]
    software = {"omero-openhcs": VERSION, **saved.inputs.versions}
    return pairs + [(f"software.{name}", str(version)) for name, version in sorted(software.items())]


def _saved_pairs(saved: SavedExecution, wells: Sequence[WellRow]) -> list[tuple[str, str]]:
    """What was saved by the user's choice, as far as it is not what everybody gets."""
    options = saved.options
    kinds = [
        word
        for word, wanted in (
            ("label images", options.labels),
            ("processed images", options.processed),
            ("table", options.table),
            ("figures", options.figures),
        )
        if wanted
    ]
    pairs = []
    if options.rois is not RoiKind.NONE:
        kinds.append(f"ROIs ({options.rois})")
        drawn, left_out = _rois(wells)
        pairs.append(("rois", f"{drawn}" + (f", and {left_out} objects without one because of a cap" if left_out else "")))
    return [("saved", ", ".join(kinds) or "provenance only"), *pairs]
