# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plate that holds the label images of an execution: one per execution, of the format of its source plate.

It belongs to the user who ran the execution, lies in the source plate's group and, where OMERO lets the user link there, in
the same screens.
"""

from __future__ import annotations

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rint, rstring

from .services import context_of, find_all, project, save
from .target import ResultTarget

__all__ = ["ensure_result_plate", "find_result_plate", "result_plate_location"]

_FIND = (
    "select p.id from Plate p where p.externalIdentifier = :execution and p.details.owner.id = :owner and p.id <> :source "
    "order by p.id"
)
_SCREENS = "select s from ScreenPlateLink l join l.parent s where l.child.id = :id order by s.id"


def ensure_result_plate(conn: BlitzGateway, target: ResultTarget) -> int:
    """Return the id of the execution's result plate, after making it when there is none. Plate and links are one save."""
    known = find_result_plate(conn, target)
    if known is not None:
        return known
    context = context_of(conn, target.plate.group_id)
    parameters = omero.sys.ParametersI().addId(target.plate.plate_id)
    sources = find_all(conn, "select p from Plate p where p.id = :id", parameters, context)
    plate = omero.model.PlateI()
    plate.setName(rstring(target.result_name))
    plate.setExternalIdentifier(rstring(target.execution_id))
    plate.setDescription(rstring(f"Label images of OpenHCS execution {target.execution_id} on plate {target.plate.plate_id}."))
    plate.setRows(rint(target.plate.rows))
    plate.setColumns(rint(target.plate.columns))
    if sources:
        plate.setRowNamingConvention(sources[0].rowNamingConvention)
        plate.setColumnNamingConvention(sources[0].columnNamingConvention)
    for screen in find_all(conn, _SCREENS, parameters, context):
        if screen.details.permissions.canLink():
            plate.linkScreen(omero.model.ScreenI(screen.id.val, False))
    return save(conn, plate, context).id.val


def find_result_plate(conn: BlitzGateway, target: ResultTarget) -> int | None:
    """Id of the execution's result plate, or ``None``."""
    parameters = omero.sys.ParametersI()
    parameters.addString("execution", target.execution_id)
    parameters.addLong("owner", target.user_id)
    parameters.addLong("source", target.plate.plate_id)
    rows = project(conn, _FIND, parameters, context_of(conn, target.plate.group_id))
    return rows[0][0] if rows else None


def result_plate_location(conn: BlitzGateway, target: ResultTarget, result_plate_id: int) -> str:
    """Where the result plate is found in OMERO's tree, and why there, in words."""
    context = context_of(conn, target.plate.group_id)
    screens = find_all(conn, _SCREENS, omero.sys.ParametersI().addId(result_plate_id), context)
    if screens:
        return ", ".join(f"screen {screen.name.val} [{screen.id.val}]" for screen in screens)
    if find_all(conn, _SCREENS, omero.sys.ParametersI().addId(target.plate.plate_id), context):
        return "the user's plates outside any screen, as the user may not add to the screen of the source plate"
    return "the user's plates outside any screen, like the source plate"
