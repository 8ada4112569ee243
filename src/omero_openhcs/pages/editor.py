# SPDX-License-Identifier: AGPL-3.0-or-later
"""The editor's page: a new pipeline, a copy of any pipeline that one may read, or the next version of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from omero_openhcs.catalogue import read_pipeline
from omero_openhcs.omero_access.plates import open_plate, read_layout
from openhcs_client import OpenHCSError, PipelineDocument

from .decorators import page
from .page_data import common_page_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["EDITOR", "chosen_version", "editor_context", "new_pipeline"]

EDITOR = "omero_openhcs/pipeline_editor.html"
_LONGEST_NAME = 120


@page(EDITOR)
def new_pipeline(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """An empty pipeline, or with ``?from=<id>`` (and ``&version=``) a copy to be saved as one's own.

    With ``?imported`` the script fills it with what the list of pipelines read from a file and kept in the browser's tab.
    """
    asker.refuse_public()
    source = request.GET.get("from")
    if not source:
        return {"source": None, **editor_context(request, asker, None, None)}
    original = chosen_version(read_pipeline(asker, source), request.GET.get("version"))
    # Golden wells were measured with the original; the copy's own have to be accepted anew.
    changes = {"name": _copy_name(original.name), "version": 1, "golden_wells": []}
    return {"source": original, **editor_context(request, asker, original.model_copy(update=changes), None)}


def chosen_version(versions: Sequence[PipelineDocument], wanted: str | None) -> PipelineDocument:
    """The version that an address asks for; the newest when it asks for none.

    Raises:
        OpenHCSError: ``unknown_pipeline_version`` (404).
    """
    if not wanted:
        return versions[0]
    for document in versions:
        if str(document.version) == wanted:
            return document
    raise OpenHCSError("unknown_pipeline_version", f"Pipeline {versions[0].name!r} has no version {wanted[:20]!r}.", status=404)


def editor_context(
    request: HttpRequest, asker: Asker, document: PipelineDocument | None, saved: PipelineDocument | None
) -> dict[str, Any]:
    """What the editor's template and script need to edit ``document``, of which ``saved`` is what is stored."""
    plate_id, channels = _plate(request, asker)
    data = {
        **common_page_data(),
        "login": reverse("weblogin"),
        "user_id": asker.person.user_id,
        "document": document.model_dump(mode="json") if document else None,
        "saved": saved.model_dump(mode="json") if saved else None,
        "draft": request.path.removeprefix(reverse("openhcs_pipelines"))
        + ("?imported" if "imported" in request.GET else request.GET.get("from") or ""),
        "channels": channels,
        "plate_id": plate_id,
    }
    return {"section": "pipelines", "document": document, "data": data, "plate_id": plate_id, "channels": channels}


def _plate(request: HttpRequest, asker: Asker) -> tuple[int | None, list[str] | None]:
    """The plate that the address names with its channels; nothing when there is none or it may not be read."""
    wanted = request.GET.get("plate") or ""
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 19):
        return None, None
    try:
        plate = open_plate(asker.omero, int(wanted))
    except OpenHCSError:
        return None, None
    return plate.plate_id, list(read_layout(asker.omero, plate).channels)


def _copy_name(name: str) -> str:
    ending = " (copy)"
    return name[: _LONGEST_NAME - len(ending)] + ending
