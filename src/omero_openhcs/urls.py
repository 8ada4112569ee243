# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses under ``/openhcs/``. Names are global in OMERO.web, so all of them begin with ``openhcs_``."""

from __future__ import annotations

from django.urls import include, path

from .api.executions import status
from .pages.admin import administration, audit
from .pages.compare import compare
from .pages.editor import new_pipeline
from .pages.execute import execute
from .pages.executions import executions
from .pages.open_with import open_with
from .pages.panel import panel
from .pages.pipeline_list import pipelines
from .pages.pipelines import pipeline
from .pages.results import results
from .pages.start import start
from .report.views import report_page

urlpatterns = [
    path("", start, name="openhcs_index"),
    path("pipelines/", pipelines, name="openhcs_pipelines"),
    # Before the ids; nobody can save a pipeline called `new`, because people's ids begin with their owner.
    path("pipelines/new/", new_pipeline, name="openhcs_new_pipeline"),
    path("pipelines/<slug:pipeline_id>/", pipeline, name="openhcs_pipeline"),
    path("execute/<int:plate_id>/", execute, name="openhcs_execute"),
    path("executions/", executions, name="openhcs_executions"),
    path("admin/", administration, name="openhcs_admin"),
    path("admin/audit/", audit, name="openhcs_admin_audit"),
    path("results/<slug:execution_id>/", results, name="openhcs_results"),
    path("compare/", compare, name="openhcs_compare"),
    path("results/<slug:execution_id>/report/", report_page, name="openhcs_report"),
    # The right-hand panel of OMERO.web's own pages, and "Open with".
    path("panel/<str:kind>/<int:object_id>/", panel, name="openhcs_panel"),
    path("open/", open_with, name="openhcs_open_with"),
    # Data.
    path("status/<slug:execution_id>/", status, name="openhcs_status"),
    path("api/v1/", include("omero_openhcs.api.urls")),
    path("zarr/", include("omero_openhcs.zarr.urls")),
    path("viewer/", include("omero_openhcs.viewer.urls")),
]
