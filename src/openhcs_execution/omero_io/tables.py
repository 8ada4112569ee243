# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OMERO.table of an execution: one row per field of view, attached where OMERO.web and OMERO.parade look for it.

A table cannot be changed in one transaction. So it is filled first and attached last, its file is named after the execution
and a hash of what is in it, and whatever carries the execution's name without being that attached file is removed. After a
crash at any point the next save ends with exactly one table; after a retry of failed wells the new table replaces the old one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import omero
import omero.grid
import pandas as pd
from omero.constants.namespaces import NSBULKANNOTATIONS
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from openhcs_client import OpenHCSError

from .annotating import find_annotations, link_to, permissions_of_plate
from .deleting import delete_objects
from .result_dataset import ensure_result, find_result
from .services import Context, context_of, project, save, shared_resources
from .table_columns import PlacedField, column_chunks
from .target import Container, Mark, ResultTarget

__all__ = ["save_table", "table_name"]

_ROWS_AT_ONCE = 10_000

_FILES = "select f.id, f.name from OriginalFile f where f.name like :name and f.details.owner.id = :owner order by f.id"
_FILE_OF = "select a.id, a.file.id, a.file.name from FileAnnotation a where a.id in (:ids) order by a.id"
_IMAGES = (
    "select w.row, w.column, w.id, i.id, i.description from Well w join w.wellSamples s join s.image i "
    "where w.plate.id = :id order by w.row, w.column, w.id, index(s)"
)
_SOURCE = re.compile(r"\bimage (\d+)[.,]")
"""Of which image a saved one was made, in its description."""


def table_name(execution_id: str, digest: str = "") -> str:
    """Name of the table's file. Without a digest the beginning that all tables of the execution share."""
    return f"openhcs_{execution_id}_{digest[:16]}.h5" if digest else f"openhcs_{execution_id}_"


def save_table(
    conn: BlitzGateway, target: ResultTarget, fields: pd.DataFrame, *, rows_at_once: int = _ROWS_AT_ONCE
) -> tuple[int, int]:
    """Save the measurements of the fields and return the ids of the table's file and of its annotation.

    The table is attached to the source plate; where the user may not annotate that one, to the result plate, whose wells and
    images it then names, or to the dataset.

    Args:
        conn: The job's session.
        target: The execution.
        fields: One row per field: ``well``, ``field`` and measurements.
        rows_at_once: How many rows go to OMERO in one call.

    Raises:
        OpenHCSError: ``tables_unavailable`` (503) when OMERO.tables does not run.
    """
    context = context_of(conn, target.plate.group_id)
    rights = permissions_of_plate(conn, target.plate.plate_id, target.plate.group_id)
    on_source = rights is not None and rights.canAnnotate()
    result = find_result(conn, target)
    if not on_source and result is None:
        result = ensure_result(conn, target)
    source = Container("Plate", target.plate.plate_id)
    container = source if on_source or result is None else result
    places = _source_places(target)
    if container.kind == "Plate" and container != source:
        places = _result_places(conn, target, container.object_id, context) or places
        fields = fields[[key in places for key in zip(fields["well"].astype(str), fields["field"].astype(int), strict=True)]]
    name = table_name(target.execution_id, _digest(fields, container))
    attached = _attached(conn, target, [source] + ([result] if result is not None else []), context)
    current = next(((file_id, annotation_id) for annotation_id, file_id, found in attached if found == name), None)
    if current is None:
        _delete_files(conn, target, keep=[file_id for _annotation, file_id, _name in attached], context=context)
        file_id = _write(conn, name, fields, places, context, rows_at_once)
        current = (file_id, _attach(conn, target, container, file_id, context))
    old = [annotation_id for annotation_id, file_id, _name in attached if file_id != current[0]]
    if old:
        delete_objects(conn, {"FileAnnotation": old}, context)
    _delete_files(conn, target, keep=[current[0]], context=context)
    return current


def _source_places(target: ResultTarget) -> dict[tuple[str, int], PlacedField]:
    return {
        (well.well, field.field): PlacedField(well.well_id, field.image_id)
        for well in target.plate.wells
        for field in well.fields
    }


def _result_places(
    conn: BlitzGateway, target: ResultTarget, result_plate_id: int, context: Context
) -> dict[tuple[str, int], PlacedField]:
    """Wells and first images of the result plate; fields of which no image was saved are left out."""
    fields = {field.image_id: (well.well, field.field) for well in target.plate.wells for field in well.fields}
    places: dict[tuple[str, int], PlacedField] = {}
    for _row, _column, well_id, image_id, description in project(
        conn, _IMAGES, omero.sys.ParametersI().addId(result_plate_id), context
    ):
        found = _SOURCE.findall(description or "")
        if found and int(found[-1]) in fields:
            places.setdefault(fields[int(found[-1])], PlacedField(well_id, image_id))
    return places


def _digest(fields: pd.DataFrame, container: Container) -> str:
    where = container.object_id if container.kind == "Plate" else f"dataset {container.object_id}"
    text = f"{where}\n{fields.to_csv(index=False)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _attached(
    conn: BlitzGateway, target: ResultTarget, containers: Iterable[Container], context: Context
) -> list[tuple[int, int, str]]:
    """The execution's table annotations: annotation id, file id, file name."""
    found = find_annotations(conn, target, list(containers), NSBULKANNOTATIONS, Mark.TABLE)
    if not found:
        return []
    parameters = omero.sys.ParametersI().addIds([annotation_id for annotation_id, _container in found])
    return [(row[0], row[1], row[2]) for row in project(conn, _FILE_OF, parameters, context)]


def _write(
    conn: BlitzGateway,
    name: str,
    fields: pd.DataFrame,
    places: dict[tuple[str, int], PlacedField],
    context: Context,
    rows_at_once: int,
) -> int:
    resources = shared_resources(conn)
    if not resources.areTablesEnabled(context):
        raise OpenHCSError(
            "tables_unavailable",
            "OMERO.tables does not run on this server, so the measurements cannot be saved there.",
            status=503,
        )
    repository = resources.repositories(context).descriptions[0].id.val
    table = resources.newTable(repository, name, context)
    if table is None:
        raise OpenHCSError("tables_unavailable", "OMERO.tables could not make a table for the measurements.", status=503)
    try:
        for number, columns in enumerate(column_chunks(fields, places, rows_at_once)):
            if number == 0:
                table.initialize(_without_values(columns), context)
            if len(columns[0].values):
                table.addData(columns, context)
        return table.getOriginalFile(context).id.val
    finally:
        table.close(context)


def _without_values(columns: list[omero.grid.Column]) -> list[omero.grid.Column]:
    empty = []
    for column in columns:
        if isinstance(column, omero.grid.StringColumn):
            empty.append(omero.grid.StringColumn(column.name, column.description, column.size, []))
        else:
            empty.append(type(column)(column.name, column.description, []))
    return empty


def _attach(conn: BlitzGateway, target: ResultTarget, container: Container, file_id: int, context: Context) -> int:
    annotation = omero.model.FileAnnotationI()
    annotation.setNs(rstring(NSBULKANNOTATIONS))
    annotation.setDescription(rstring(target.mark(Mark.TABLE)))
    annotation.setFile(omero.model.OriginalFileI(file_id, False))
    return save(conn, link_to(container, annotation), context).child.id.val


def _delete_files(conn: BlitzGateway, target: ResultTarget, *, keep: list[int], context: Context) -> None:
    """Delete the execution's table files that nothing is attached with: what a save that was cut short leaves behind."""
    parameters = omero.sys.ParametersI()
    parameters.addString("name", table_name(target.execution_id) + "%")
    parameters.addLong("owner", target.user_id)
    prefix = table_name(target.execution_id)
    # `_` stands for any character in a pattern, so names are compared once more.
    lost = [
        file_id
        for file_id, name in project(conn, _FILES, parameters, context)
        if file_id not in keep and name.startswith(prefix)
    ]
    if lost:
        delete_objects(conn, {"OriginalFile": lost}, context)
