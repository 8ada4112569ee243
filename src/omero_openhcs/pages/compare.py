# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two executions of one plate beside each other; without a second one, the choice of it.

Who may see each of them is decided by the service: one that may not be seen looks like one that does not exist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from openhcs_client import ExecutionDetail, MeasurementLevel, OpenHCSError, PipelineDocument

from .decorators import page
from .page_data import common_page_data

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker
    from openhcs_client import Execution, ParameterValue, TableColumn

__all__ = ["compare"]

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PLACES = frozenset({"well", "field", "object", "label"})
MOST_OFFERED = 200


@page("omero_openhcs/compare.html")
def compare(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """The executions ``a`` and ``b``."""
    before = asker.service.execution(_id(request, "a"))
    if not request.GET.get("b"):
        others = _others(asker, before)
        return {"template": "omero_openhcs/compare_choose.html", "before": before, "others": others, "section": "executions"}
    after = asker.service.execution(_id(request, "b"))
    _require_comparable(before, after)
    documents = [PipelineDocument.model_validate(each.document) for each in (before, after)]
    return {
        "before": before,
        "after": after,
        "section": "executions",
        "parameters": _different_parameters(before, after, *documents),
        "data": {
            **common_page_data(),
            "results": reverse("openhcs_index") + "results/",
            "rows": max(before.rows, after.rows),
            "columns": max(before.columns, after.columns),
            "before": _side(asker, before, documents[0]),
            "after": _side(asker, after, documents[1]),
            "primary": documents[1].primary_measurement,
        },
    }


def _id(request: HttpRequest, name: str) -> str:
    text = request.GET.get(name, "")
    if not _ID.fullmatch(text):
        raise OpenHCSError(
            "invalid_request", "Choose two runs of one plate from the list of executions to compare them.", status=422
        )
    return text


def _require_comparable(before: ExecutionDetail, after: ExecutionDetail) -> None:
    if before.execution_id == after.execution_id:
        raise OpenHCSError("same_execution", "This is one and the same run. Choose another one to compare it with.", status=422)
    if before.plate_id != after.plate_id:
        raise OpenHCSError(
            "different_plates",
            f"These runs are of different plates ({before.plate_name} and {after.plate_name}), so there are no wells to "
            "compare. Choose two runs of one plate.",
            status=422,
        )


def _others(asker: Asker, before: Execution) -> list[Execution]:
    found = asker.service.executions(plate=before.plate_id, limit=MOST_OFFERED).executions
    return [each for each in found if each.execution_id != before.execution_id]


def _side(asker: Asker, execution: ExecutionDetail, document: PipelineDocument) -> dict[str, Any]:
    names: dict[str, None] = {}
    for level in (MeasurementLevel.WELL, MeasurementLevel.OBJECT):
        columns = _columns(asker, execution, level)
        names.update(dict.fromkeys(column.name for column in columns if column.numeric and column.name not in _PLACES))
    return {
        "execution_id": execution.execution_id,
        "measurements": list(names),
        "described": [entry.model_dump(mode="json") for entry in document.measurements],
        "document": execution.document,
        "wells": [well.well for well in execution.wells],
    }


def _columns(asker: Asker, execution: ExecutionDetail, level: MeasurementLevel) -> list[TableColumn]:
    """The columns of a table; none when its files were removed because they were old."""
    try:
        return asker.service.table(execution.execution_id, level, limit=1).columns
    except OpenHCSError as error:
        if error.code != "results_removed":
            raise
        return []


def _different_parameters(
    before: ExecutionDetail, after: ExecutionDetail, first: PipelineDocument, second: PipelineDocument
) -> list[dict[str, Any]]:
    """The values on the page for running that differ: what was set, or else the default."""
    one, other = _values(before, first), _values(after, second)
    titles = {entry.name: entry.title for document in (second, first) for entry in document.parameters}
    return [
        {"title": titles[name], "before": _told(one, name), "after": _told(other, name)}
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name) or (name in one) != (name in other)
    ]


def _values(execution: ExecutionDetail, document: PipelineDocument) -> dict[str, ParameterValue]:
    return {entry.name: execution.parameters.get(entry.name, entry.default) for entry in document.parameters}


def _told(values: dict[str, ParameterValue], name: str) -> str:
    if name not in values:
        return "not a value of this pipeline"
    value = values[name]
    return ", ".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value)
