# SPDX-License-Identifier: AGPL-3.0-or-later
"""The results page: follow an execution live, then read what it measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from omero_openhcs.omero_access.plates import open_plate, read_layout
from openhcs_client import ExecutionDetail, OpenHCSError, PipelineDocument

from .decorators import page
from .page_data import common_page_data

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["results"]


@page("omero_openhcs/results.html")
def results(request: HttpRequest, asker: Asker, execution_id: str) -> dict[str, Any]:
    """A snapshot of the execution; the page's script continues from it by its events."""
    execution = asker.service.execution(execution_id)
    document = PipelineDocument.model_validate(execution.document)
    owner = execution.owner_id == asker.person.user_id
    return {
        "execution": execution,
        "document": document,
        "duration": (execution.ended_at - execution.started_at) if execution.ended_at and execution.started_at else None,
        "json": json.dumps(execution.document, indent=2, ensure_ascii=False),
        "changed": _changed_parameters(execution, document),
        "may_control": not asker.public and (owner or asker.person.admin),
        "may_mark": not asker.public,
        "data": {
            **common_page_data(),
            "zarr": reverse("openhcs_index") + "zarr/0.4/",
            "execution": execution.model_dump(mode="json", exclude={"document"}),
            "measurements": [entry.model_dump(mode="json") for entry in document.measurements],
            "primary_measurement": document.primary_measurement,
            "images": _images(asker, execution),
            "is_owner": owner,
            "may_control": not asker.public and (owner or asker.person.admin),
        },
    }


def _images(asker: Asker, execution: ExecutionDetail) -> dict[str, list[int]]:
    """The images of each well, for the links; none when the plate is gone or not readable any more."""
    try:
        layout = read_layout(asker.omero, open_plate(asker.omero, execution.plate_id))
    except OpenHCSError:
        return {}
    return {well.well: [field.image_id for field in well.fields] for well in layout.wells}


def _changed_parameters(execution: ExecutionDetail, document: PipelineDocument) -> list[dict[str, Any]]:
    titles = {entry.name: entry for entry in document.parameters}
    return [
        {
            "title": titles[name].title if name in titles else name,
            "value": value,
            "unit": titles[name].unit if name in titles else "",
        }
        for name, value in execution.parameters.items()
    ]
