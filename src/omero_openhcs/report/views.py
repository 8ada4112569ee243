# SPDX-License-Identifier: AGPL-3.0-or-later
"""``results/<id>/report/`` for people, ``api/v1/executions/<id>/report/`` for programs: the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import reverse

from omero_openhcs.api.decorators import api_view
from omero_openhcs.pages.decorators import page

from .content import build_report
from .document import content_policy, file_name, render_report
from .sources import gather

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["report_file", "report_page"]


@page("omero_openhcs/report.html")
def report_page(request: HttpRequest, asker: Asker, execution_id: str) -> HttpResponse:
    """The report in the browser; with ``?download=1`` as a file. For whoever may see the execution."""
    return _report(request, asker, execution_id, download=request.GET.get("download") == "1")


@api_view("GET", omero=True)
def report_file(request: HttpRequest, asker: Asker, execution_id: str) -> HttpResponse:
    """The report as a file."""
    return _report(request, asker, execution_id, download=True)


def _report(request: HttpRequest, asker: Asker, execution_id: str, *, download: bool) -> HttpResponse:
    report = build_report(gather(asker, execution_id))
    links = {
        "plate": request.build_absolute_uri(f"{reverse('webindex')}?show=plate-{report.execution.plate_id}"),
        "results": request.build_absolute_uri(reverse("openhcs_results", kwargs={"execution_id": execution_id})),
    }
    response = HttpResponse(render_report(report, links), content_type="text/html; charset=utf-8")
    kind = "attachment" if download else "inline"
    response["Content-Disposition"] = f'{kind}; filename="{file_name(report.execution)}"'
    response["Content-Security-Policy"] = f"{content_policy()}; frame-ancestors 'self'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
