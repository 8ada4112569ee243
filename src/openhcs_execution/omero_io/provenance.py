# SPDX-License-Identifier: AGPL-3.0-or-later
"""How results came about: a map annotation and the pipeline itself, on the source plate and on the result plate.

The map annotation (namespace ``openhcs.org/omero/execution/v1``) holds, in this order:

====================  ==================================================================================================
key                   value
====================  ==================================================================================================
``execution_id``      id of the execution
``pipeline_id``       id of the pipeline
``pipeline_name``     its name
``pipeline_version``  its version
``pipeline_sha256``   hash of the document as it was published: it tells which pipeline, not which values
``source_plate_id``   the plate it ran on
``result_plate_id``   the plate with the label images, when there is one; ``result_dataset_id`` where it is a dataset
``result_location``   where that plate is in OMERO's tree, and why there
``parameter.<name>``  a value that the user gave, as JSON; one pair each. All others are the document's defaults
…                     whatever else the service adds: wells, versions, times
====================  ==================================================================================================

The pipeline is attached twice (namespace ``openhcs.org/omero/pipeline/v1``): as JSON, the document as it was published, whose
canonical form the hash is of; and as Python for OpenHCS, the document that ran, with the user's values in its steps. The JSON
and the ``parameter.`` pairs together say all that ran. On a plate that the user may not annotate nothing is put; the result
plate, which is the user's own, then has it alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import omero
from omero.gateway import BlitzGateway

from openhcs_client import ResultLinks

from .annotating import ensure_annotation
from .attaching import attach_file
from .result_dataset import annotated_containers, find_result
from .result_plate import result_plate_location
from .services import context_of, find_all, save
from .target import EXECUTION_NS, PIPELINE_NS, Container, Mark, ResultTarget

__all__ = ["save_provenance"]


def save_provenance(
    conn: BlitzGateway,
    target: ResultTarget,
    document_json: str,
    python: str,
    pairs: Sequence[tuple[str, str]],
    result_plate_id: int | None,
) -> ResultLinks:
    """Save provenance and pipeline, and return their ids. Saving again with other ``pairs`` changes the annotation in place.

    ``document_json`` is the published document, ``python`` the one that ran, with the user's values.

    Without a result plate or dataset, and without the right to annotate the source plate, an empty one is made to hold them.
    A dataset that was there before the execution is annotated only then.
    """
    result = Container("Plate", result_plate_id) if result_plate_id is not None else find_result(conn, target)
    containers = annotated_containers(conn, target, result)
    result = result or find_result(conn, target)
    values = _values(conn, target, pairs, result)
    provenance = ensure_annotation(conn, target, containers, EXECUTION_NS, Mark.PROVENANCE, lambda: _map_annotation(values))
    _update(conn, target, provenance, values)
    file_name = f"{target.pipeline_id}-v{target.pipeline_version}"
    document = attach_file(
        conn,
        target,
        containers,
        ns=PIPELINE_NS,
        what=Mark.PIPELINE_JSON,
        name=f"{file_name}.json",
        mimetype="application/json",
        content=document_json.encode(),
    )
    attach_file(
        conn,
        target,
        containers,
        ns=PIPELINE_NS,
        what=Mark.PIPELINE_PYTHON,
        name=f"{file_name}.py",
        mimetype="text/x-python",
        content=python.encode(),
    )
    return ResultLinks(
        plate_id=result.object_id if result is not None and result.kind == "Plate" else None,
        dataset_id=result.object_id if result is not None and result.kind == "Dataset" else None,
        provenance_annotation_id=provenance,
        pipeline_annotation_id=document,
    )


def _values(
    conn: BlitzGateway, target: ResultTarget, pairs: Sequence[tuple[str, str]], result: Container | None
) -> dict[str, str]:
    values = {
        "execution_id": target.execution_id,
        "pipeline_id": target.pipeline_id,
        "pipeline_name": target.pipeline_name,
        "pipeline_version": str(target.pipeline_version),
        "pipeline_sha256": target.pipeline_hash,
        "source_plate_id": str(target.plate.plate_id),
    }
    if result is not None and result.kind == "Plate":
        values["result_plate_id"] = str(result.object_id)
        values["result_location"] = result_plate_location(conn, target, result.object_id)
    elif result is not None:
        values["result_dataset_id"] = str(result.object_id)
    return values | {name: text for name, text in pairs if name not in values}


def _map_annotation(values: dict[str, str]) -> omero.model.MapAnnotation:
    annotation = omero.model.MapAnnotationI()
    annotation.setMapValue([omero.model.NamedValue(name, text) for name, text in values.items()])
    return annotation


def _update(conn: BlitzGateway, target: ResultTarget, annotation_id: int, values: dict[str, str]) -> None:
    context = context_of(conn, target.plate.group_id)
    parameters = omero.sys.ParametersI().addId(annotation_id)
    annotation = find_all(conn, "select a from MapAnnotation a where a.id = :id", parameters, context)[0]
    if [(pair.name, pair.value) for pair in annotation.getMapValue() or ()] != list(values.items()):
        annotation.setMapValue([omero.model.NamedValue(name, text) for name, text in values.items()])
        save(conn, annotation, context)
