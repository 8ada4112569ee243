# SPDX-License-Identifier: AGPL-3.0-or-later
"""A dataset for the label images of an execution, for those who do not want a result plate: a new one, or one of the user's."""

from __future__ import annotations

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from openhcs_client import OpenHCSError, SavingTarget

from .annotating import permissions_of_plate
from .result_plate import ensure_result_plate, find_result_plate
from .services import context_of, find_all, project, save
from .target import Container, Mark, ResultTarget

__all__ = ["annotated_containers", "check_dataset", "ensure_result", "find_result"]

_FIND = "select d.id from Dataset d where d.description = :mark and d.details.owner.id = :owner order by d.id"
_DATASET = "select d from Dataset d where d.id = :id"


def check_dataset(conn: BlitzGateway, dataset_id: int, group_id: int) -> None:
    """Refuse a dataset that images cannot be put into.

    Raises:
        OpenHCSError: ``dataset_not_usable`` (422), with the field ``saving.dataset_id``.
    """
    parameters = omero.sys.ParametersI().addId(dataset_id)
    found = find_all(conn, _DATASET, parameters, context_of(conn))
    problem = ""
    if not found:
        problem = f"Dataset {dataset_id} does not exist, or you may not read it."
    elif found[0].details.group.id.val != group_id:
        problem = f"Dataset {dataset_id} is in another group than the plate; OMERO keeps what belongs together in one group."
    elif not found[0].details.permissions.canLink():
        problem = f"OMERO does not let you add images to dataset {dataset_id}."
    if problem:
        raise OpenHCSError("dataset_not_usable", problem, status=422, field_errors={"saving.dataset_id": problem})


def ensure_result(conn: BlitzGateway, target: ResultTarget) -> Container:
    """What the execution's images lie in, after making it when there is none and it is not the user's own."""
    if target.destination is SavingTarget.PLATE:
        return Container("Plate", ensure_result_plate(conn, target))
    known = find_result(conn, target)
    if known is not None:
        return known
    dataset = omero.model.DatasetI()
    dataset.setName(rstring(target.result_name))
    dataset.setDescription(rstring(target.mark(Mark.DATASET)))
    return Container("Dataset", save(conn, dataset, context_of(conn, target.plate.group_id)).id.val)


def find_result(conn: BlitzGateway, target: ResultTarget) -> Container | None:
    """The same without making anything."""
    if target.destination is SavingTarget.PLATE:
        plate_id = find_result_plate(conn, target)
        return None if plate_id is None else Container("Plate", plate_id)
    if target.dataset_id is not None:
        return Container("Dataset", target.dataset_id)
    parameters = omero.sys.ParametersI().addString("mark", target.mark(Mark.DATASET)).addLong("owner", target.user_id)
    rows = project(conn, _FIND, parameters, context_of(conn, target.plate.group_id))
    return Container("Dataset", rows[0][0]) if rows else None


def annotated_containers(conn: BlitzGateway, target: ResultTarget, result: Container | None) -> list[Container]:
    """Where annotations of the execution go: the source plate, if the user may annotate it, and what the images lie in.

    Without the right to annotate the source plate, and without a result, an empty one is made to hold them. A dataset that was
    there before the execution is annotated only then.
    """
    rights = permissions_of_plate(conn, target.plate.plate_id, target.plate.group_id)
    on_source = rights is not None and rights.canAnnotate()
    if result is None and not on_source:
        result = ensure_result(conn, target)
    containers = [Container("Plate", target.plate.plate_id)] if on_source else []
    if result is not None and not (on_source and target.dataset_id is not None):
        containers.append(result)
    return containers
