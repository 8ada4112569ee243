# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that shows what a pipeline does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from omero_openhcs.catalogue import read_pipeline
from omero_openhcs.omero_access.pipelines import is_owned_by
from openhcs_client import ExposedParameter, FunctionInfo, PipelineDocument

from .decorators import or_trouble, page
from .editor import EDITOR, chosen_version, editor_context
from .pipeline_actions import actions_context

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["pipeline"]


@page("omero_openhcs/pipeline.html")
def pipeline(request: HttpRequest, asker: Asker, pipeline_id: str) -> dict[str, Any]:
    """A pipeline: the editor for its owner; for everybody else, and for older versions, what it does."""
    versions = read_pipeline(asker, pipeline_id)
    document = chosen_version(versions, request.GET.get("version"))
    mine = not asker.public and is_owned_by(pipeline_id, asker.person.user_id)
    shared = {
        "document": document,
        "section": "pipelines",
        "may_check": not asker.public,
        **actions_context(asker, pipeline_id),
        "versions": [known.version for known in versions],
        "newest": versions[0].version,
        "mine": mine,
        "may_edit": not asker.public,
        "plate_id": request.GET.get("plate") if (request.GET.get("plate") or "").isdecimal() else None,
    }
    if mine and ("edit" in request.GET or document is versions[0]) and "read" not in request.GET:
        return {**shared, **editor_context(request, asker, _as_next(document, versions[0]), versions[0]), "template": EDITOR}
    functions, _ = or_trouble(lambda: {info.id: info for info in asker.service.functions(offered=False)}, {})
    return {
        **shared,
        "steps": _steps(document, functions),
        "measured": _measured(document),
        "hash": document.content_hash(),
        "json": json.dumps(document.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False),
    }


def _as_next(document: PipelineDocument, newest: PipelineDocument) -> PipelineDocument:
    """An older version as what would follow the newest one."""
    return document.model_copy(update={"version": newest.version})


def _measured(document: PipelineDocument) -> list[dict[str, Any]]:
    """The measurements, each once with the levels at which it is given."""
    levels: dict[str, list[str]] = {}
    for entry in document.measurements:
        levels.setdefault(entry.name, []).append(entry.level)
    described = {entry.name: entry for entry in reversed(document.measurements)}
    return [{"measurement": described[name], "levels": found} for name, found in levels.items()]


def _steps(document: PipelineDocument, functions: dict[str, FunctionInfo]) -> list[dict[str, Any]]:
    """The steps with what the catalogue knows about their functions, and which values the user may set."""
    steps = []
    for index, step in enumerate(document.steps):
        info = functions.get(step.function)
        known = {parameter.name: parameter for parameter in info.parameters} if info else {}
        exposed: dict[str, ExposedParameter] = {entry.parameter: entry for entry in document.parameters if entry.step == index}
        names = [*step.parameters, *(name for name in exposed if name not in step.parameters)]
        steps.append(
            {
                "step": step,
                "function": info,
                "parameters": [
                    {
                        "name": name,
                        "value": step.parameters.get(name, exposed[name].default if name in exposed else None),
                        "exposed": exposed.get(name),
                        "info": known.get(name),
                    }
                    for name in names
                ],
            }
        )
    return steps
