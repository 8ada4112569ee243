# SPDX-License-Identifier: AGPL-3.0-or-later
"""Can what a user wants saved be saved? Found out when the run is submitted, not after hours of computing."""

from __future__ import annotations

from typing import Any

from openhcs_client import OpenHCSError, PlateLayout, RoiKind, RunEstimate, SavingOptions
from openhcs_execution.omero_io import check_dataset, may_draw_on
from openhcs_execution.settings import Settings

__all__ = ["check_saving"]


def check_saving(
    conn: Any, options: SavingOptions, layout: PlateLayout, wells: list[str], estimate: RunEstimate | None, settings: Settings
) -> None:
    """Check options against the installation's limits, what was estimated, and what OMERO allows this session's user.

    Raises:
        OpenHCSError: ``too_many_rois``, ``rois_not_allowed``, ``no_processed_images`` or ``dataset_not_usable``, status 422,
            with the field.
    """
    if options.processed and estimate is not None and estimate.processed_mb is None:
        raise _refused(
            "no_processed_images",
            "processed",
            "At its end this pipeline has the images as they are in OMERO, so there are no processed ones to save.",
        )
    if options.rois is not RoiKind.NONE:
        _check_caps(options, settings)
        _check_estimate(options, estimate)
        images = [field.image_id for field in layout.well(wells[0]).fields]
        if not options.labels and not may_draw_on(conn, images, layout.group_id):
            raise _refused(
                "rois_not_allowed",
                "rois",
                "OMERO does not let you draw on the images of this plate. Save the label images too; the ROIs go on them then.",
            )
    if options.dataset_id is not None:
        check_dataset(conn, options.dataset_id, layout.group_id)


def _check_caps(options: SavingOptions, settings: Settings) -> None:
    for field, wanted, most in (
        ("rois_per_field", options.rois_per_field, settings.max_rois_per_field),
        ("rois_per_run", options.rois_per_run, settings.max_rois_per_run),
    ):
        if wanted > most:
            raise _refused("too_many_rois", field, f"This installation allows at most {most:,}.")


def _check_estimate(options: SavingOptions, estimate: RunEstimate | None) -> None:
    if estimate is None or estimate.objects is None or estimate.objects_per_field is None:
        return
    if estimate.objects_per_field > options.rois_per_field:
        raise _refused(
            "too_many_rois",
            "rois_per_field",
            f"About {estimate.objects_per_field:,.0f} ROIs are expected on each image, more than {options.rois_per_field:,}. "
            "Raise the cap, or save no ROIs.",
        )
    if estimate.objects > options.rois_per_run:
        raise _refused(
            "too_many_rois",
            "rois_per_run",
            f"About {estimate.objects:,} ROIs are expected ({estimate.objects_basis}), more than {options.rois_per_run:,}. "
            "Raise the cap, run fewer wells, or save no ROIs.",
        )


def _refused(code: str, field: str, message: str) -> OpenHCSError:
    return OpenHCSError(code, message, status=422, field_errors={f"saving.{field}": message})
