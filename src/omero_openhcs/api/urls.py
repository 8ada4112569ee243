# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of the JSON API, relative to ``/openhcs/api/v1/``."""

from __future__ import annotations

from django.urls import path

from omero_openhcs.report.views import report_file

from . import (
    admin,
    controls,
    executions,
    functions,
    golden_wells,
    health,
    labels,
    library,
    live,
    pipelines,
    tables,
    thumbnails,
    well_log,
    zarr_addresses,
)
from .decorators import not_found

urlpatterns = [
    path("health/", health.health, name="openhcs_api_health"),
    path("functions/", functions.function_list, name="openhcs_api_functions"),
    path("functions/<path:function_id>/", functions.function_detail, name="openhcs_api_function"),
    path("pipelines/", pipelines.pipeline_collection, name="openhcs_api_pipelines"),
    path("pipelines/schema/", pipelines.schema, name="openhcs_api_schema"),
    path("pipelines/validate/", pipelines.validate, name="openhcs_api_validate"),
    path("pipelines/render/", pipelines.render, name="openhcs_api_render"),
    path("pipelines/import-python/", pipelines.import_python, name="openhcs_api_import_python"),
    path("pipelines/<slug:pipeline_id>/", pipelines.pipeline_detail, name="openhcs_api_pipeline"),
    path("pipelines/<slug:pipeline_id>/check/", golden_wells.check, name="openhcs_api_check"),
    path("pipelines/<slug:pipeline_id>/check/sharing/", golden_wells.sharing_check, name="openhcs_api_sharing_check"),
    path("pipelines/<slug:pipeline_id>/golden-wells/", golden_wells.record, name="openhcs_api_golden_wells"),
    path("pipelines/<slug:pipeline_id>/copy/", library.copy, name="openhcs_api_pipeline_copy"),
    path("pipelines/<slug:pipeline_id>/rename/", library.rename, name="openhcs_api_pipeline_rename"),
    path("pipelines/<slug:pipeline_id>/share/", library.share, name="openhcs_api_pipeline_share"),
    path("pipelines/<slug:pipeline_id>/deprecate/", library.deprecate, name="openhcs_api_pipeline_deprecate"),
    path("pipelines/<slug:pipeline_id>/export/", library.export, name="openhcs_api_pipeline_export"),
    path("executions/", executions.execution_collection, name="openhcs_api_executions"),
    path("executions/<slug:execution_id>/", executions.execution_detail, name="openhcs_api_execution"),
    path("executions/<slug:execution_id>/status/", executions.status, name="openhcs_api_status"),
    path("executions/<slug:execution_id>/events/", executions.events, name="openhcs_api_events"),
    path("executions/<slug:execution_id>/ticket/", live.ticket, name="openhcs_api_ticket"),
    path("executions/<slug:execution_id>/cancel/", executions.cancel, name="openhcs_api_cancel"),
    path("executions/<slug:execution_id>/pause/", executions.pause, name="openhcs_api_pause"),
    path("executions/<slug:execution_id>/resume/", executions.resume, name="openhcs_api_resume"),
    path("executions/<slug:execution_id>/retry/", executions.retry, name="openhcs_api_retry"),
    path("executions/<slug:execution_id>/rerun/", executions.rerun, name="openhcs_api_rerun"),
    path("executions/<slug:execution_id>/session/", executions.renew_session, name="openhcs_api_session"),
    path("executions/<slug:execution_id>/measurements/", executions.measurements, name="openhcs_api_measurements"),
    path("executions/<slug:execution_id>/results/deletion-plan/", executions.plan_deletion, name="openhcs_api_deletion_plan"),
    path("executions/<slug:execution_id>/results/delete/", executions.delete, name="openhcs_api_delete_results"),
    path("executions/<slug:execution_id>/table/", tables.table, name="openhcs_api_table"),
    path("executions/<slug:execution_id>/table/histogram/", tables.histogram, name="openhcs_api_table_histogram"),
    path("executions/<slug:execution_id>/table/points/", tables.points, name="openhcs_api_table_points"),
    path("executions/<slug:execution_id>/table/wells/", tables.wells, name="openhcs_api_table_wells"),
    path("executions/<slug:execution_id>/table/download/", tables.download, name="openhcs_api_table_download"),
    path("executions/<slug:execution_id>/label-thumbnails/", thumbnails.label_sheet, name="openhcs_api_label_thumbnails"),
    path("plates/<int:plate_id>/thumbnails/", thumbnails.image_sheet, name="openhcs_api_plate_thumbnails"),
    path("executions/<slug:execution_id>/quality/", controls.quality, name="openhcs_api_quality"),
    path("executions/<slug:execution_id>/report/", report_file, name="openhcs_api_report"),
    path("plates/<int:plate_id>/controls/", controls.plate_controls, name="openhcs_api_controls"),
    path("executions/<slug:execution_id>/wells/<slug:well>/log/", well_log.well_log, name="openhcs_api_well_log"),
    path("executions/<slug:execution_id>/wells/<slug:well>/labels/", labels.label_list, name="openhcs_api_labels"),
    path(
        "executions/<slug:execution_id>/wells/<slug:well>/labels/<int:field>/<slug:name>/",
        labels.label_image,
        name="openhcs_api_label_image",
    ),
    path("zarr-addresses/", zarr_addresses.zarr_address, name="openhcs_api_zarr_addresses"),
    path("admin/queue/", admin.queue, name="openhcs_api_admin_queue"),
    path("admin/limits/", admin.limits, name="openhcs_api_admin_limits"),
    path("admin/users/<int:user_id>/limits/", admin.user_limits, name="openhcs_api_admin_user_limits"),
    path("admin/drain/", admin.drain, name="openhcs_api_admin_drain"),
    path("admin/engine/", admin.engine, name="openhcs_api_admin_engine"),
    path("admin/undrain/", admin.undrain, name="openhcs_api_admin_undrain"),
    path("admin/audit/", admin.audit, name="openhcs_api_admin_audit"),
    # Named last: the base address for scripts, and a JSON answer for anything else below it.
    path("", not_found, name="openhcs_api"),
    path("<path:rest>", not_found),
]
