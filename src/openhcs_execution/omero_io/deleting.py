# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting exactly what one execution saved.

Everything is found by the execution's id and its owner (see :mod:`openhcs_execution.omero_io.target`), never by name alone,
and removed in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import omero
import omero.callbacks
import omero.cmd
from omero.gateway import BlitzGateway
from omero.rtypes import rlist, rlong, rstring

from openhcs_client import OpenHCSError

from .services import Context, context_of, project
from .target import LABEL_NS, Mark, mark

__all__ = ["FoundObject", "delete_objects", "delete_results"]

_PLATES = (
    "select p.id, p.name, p.details.group.id from Plate p "
    "where p.externalIdentifier = :execution and p.details.owner.id = :owner and p.id <> :source order by p.id"
)
_GROUP = "select p.details.group.id from Plate p where p.id = :id"
_ANNOTATIONS = (
    "select distinct a.id, a.description from PlateAnnotationLink l join l.child a "
    "where l.parent.id in (:plates) and a.description in (:marks) and a.details.owner.id = :owner order by a.id"
)
_FILES_OF = "select a.id, f.id, f.name from FileAnnotation a join a.file f where a.id in (:ids) order by a.id"
_IMAGES = "select i.id, i.name from WellSample s join s.image i where s.well.plate.id in (:plates) order by i.id"
_LABELS = (
    "select distinct a.id, a.description from ImageAnnotationLink l join l.child a "
    "where l.parent.id in (:images) and a.ns = :ns and a.description = :mark and a.details.owner.id = :owner order by a.id"
)
_TABLES = "select f.id, f.name from OriginalFile f where f.name like :name and f.details.owner.id = :owner order by f.id"

_WAIT_MS = 500
_WAITS = 1200
_IDS_AT_ONCE = 1000


@dataclass(frozen=True)
class FoundObject:
    """Something that an execution saved. ``kind`` is OMERO's name of its type."""

    kind: str
    object_id: int
    name: str


def delete_results(
    conn: BlitzGateway, execution_id: str, plate_id: int, dry_run: bool, *, owner_id: int | None = None
) -> list[FoundObject]:
    """Find what an execution saved, and unless ``dry_run`` delete it. Nothing found is no error.

    Args:
        conn: A session of the owner, or of an administrator.
        execution_id: The execution.
        plate_id: The plate that it ran on; it may be gone by now.
        dry_run: Only say what would be deleted.
        owner_id: Who ran the execution; the session's own user when ``None``.

    Raises:
        OpenHCSError: ``omero_not_allowed`` (403) when the user may not delete all of it; then nothing is deleted.
    """
    owner = owner_id if owner_id is not None else conn.c.sf.getAdminService().getEventContext(context_of(conn)).userId
    found, group_id = _find(conn, execution_id, plate_id, owner)
    if dry_run or not found or group_id is None:
        return found
    context = context_of(conn, group_id)
    targets: dict[str, list[int]] = {}
    for each in found:
        targets.setdefault(each.kind, []).append(each.object_id)
    delete_objects(conn, targets, context)
    return found


def delete_objects(conn: BlitzGateway, targets: Mapping[str, Iterable[int]], context: Context) -> None:
    """Delete objects with what hangs on them, in one transaction, and wait until it is done.

    Raises:
        OpenHCSError: ``omero_not_allowed`` (403), or ``delete_failed`` (500) with OMERO's reason.
    """
    request = omero.cmd.Delete2(targetObjects={kind: sorted(set(ids)) for kind, ids in targets.items()})
    handle = conn.c.sf.submit(request, context)
    callback = omero.callbacks.CmdCallbackI(conn.c, handle)
    try:
        callback.loop(_WAITS, _WAIT_MS)
        response = callback.getResponse()
    finally:
        callback.close(True)
    if isinstance(response, omero.cmd.ERR):
        reason = response.parameters.get("message", response.name)
        if "SecurityViolation" in response.category or "not permitted" in reason.lower():
            raise OpenHCSError("omero_not_allowed", f"OMERO does not let you delete all of these results: {reason}", status=403)
        raise OpenHCSError("delete_failed", f"OMERO could not delete the results: {reason}", status=500)


def _find(conn: BlitzGateway, execution_id: str, plate_id: int, owner: int) -> tuple[list[FoundObject], int | None]:
    everywhere = context_of(conn)
    parameters = (
        omero.sys.ParametersI().addString("execution", execution_id).addLong("owner", owner).addLong("source", plate_id)
    )
    plates = project(conn, _PLATES, parameters, everywhere)
    groups = [row[2] for row in plates] or [
        row[0] for row in project(conn, _GROUP, omero.sys.ParametersI().addId(plate_id), everywhere)
    ]
    found = [FoundObject("Plate", row[0], row[1]) for row in plates]
    found += _annotations(conn, execution_id, [plate_id, *(row[0] for row in plates)], owner)
    if plates:
        images = _images(conn, [row[0] for row in plates])
        found += images
        found += _label_annotations(conn, execution_id, [image.object_id for image in images], owner)
    known = {each.object_id for each in found if each.kind == "OriginalFile"}
    found += [each for each in _table_files(conn, execution_id, owner) if each.object_id not in known]
    return found, groups[0] if groups else None


def _annotations(conn: BlitzGateway, execution_id: str, plate_ids: list[int], owner: int) -> list[FoundObject]:
    parameters = omero.sys.ParametersI().addLong("owner", owner)
    parameters.add("plates", rlist([rlong(each) for each in plate_ids]))
    parameters.add("marks", rlist([rstring(mark(execution_id, what)) for what in Mark.ON_CONTAINERS]))
    rows = project(conn, _ANNOTATIONS, parameters, context_of(conn))
    files = [row[0] for row in rows if row[1] != mark(execution_id, Mark.PROVENANCE)]
    found = [FoundObject("FileAnnotation" if row[0] in files else "MapAnnotation", row[0], row[1]) for row in rows]
    if files:
        rows = project(conn, _FILES_OF, omero.sys.ParametersI().addIds(files), context_of(conn))
        found += [FoundObject("OriginalFile", row[1], row[2]) for row in rows]
    return found


def _images(conn: BlitzGateway, plate_ids: list[int]) -> list[FoundObject]:
    parameters = omero.sys.ParametersI()
    parameters.add("plates", rlist([rlong(each) for each in plate_ids]))
    return [FoundObject("Image", row[0], row[1]) for row in project(conn, _IMAGES, parameters, context_of(conn))]


def _label_annotations(conn: BlitzGateway, execution_id: str, image_ids: list[int], owner: int) -> list[FoundObject]:
    found = []
    for start in range(0, len(image_ids), _IDS_AT_ONCE):
        parameters = omero.sys.ParametersI().addLong("owner", owner).addString("ns", LABEL_NS)
        parameters.addString("mark", mark(execution_id, Mark.LABEL))
        parameters.add("images", rlist([rlong(each) for each in image_ids[start : start + _IDS_AT_ONCE]]))
        rows = project(conn, _LABELS, parameters, context_of(conn))
        found += [FoundObject("MapAnnotation", row[0], row[1]) for row in rows]
    return found


def _table_files(conn: BlitzGateway, execution_id: str, owner: int) -> list[FoundObject]:
    prefix = f"openhcs_{execution_id}_"
    parameters = omero.sys.ParametersI().addString("name", f"{prefix}%").addLong("owner", owner)
    rows = project(conn, _TABLES, parameters, context_of(conn))
    return [FoundObject("OriginalFile", row[0], row[1]) for row in rows if row[1].startswith(prefix)]
