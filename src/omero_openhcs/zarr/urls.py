# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of the OME-Zarr endpoint, relative to ``/openhcs/zarr/``."""

from __future__ import annotations

from django.urls import path

from .views import zarr_image, zarr_plate

urlpatterns = [
    path("<str:version>/image/<int:image_id>.zarr/", zarr_image, name="openhcs_zarr_image"),
    path("<str:version>/image/<int:image_id>.zarr/<path:key>", zarr_image),
    path("<str:version>/plate/<int:plate_id>.zarr/", zarr_plate, name="openhcs_zarr_plate"),
    path("<str:version>/plate/<int:plate_id>.zarr/<path:key>", zarr_plate),
    # The same for software that has no cookie. The token stands before the rest, because readers add to the end.
    path("token/<str:token>/<str:version>/image/<int:image_id>.zarr/", zarr_image, name="openhcs_zarr_image_by_token"),
    path("token/<str:token>/<str:version>/image/<int:image_id>.zarr/<path:key>", zarr_image),
    path("token/<str:token>/<str:version>/plate/<int:plate_id>.zarr/", zarr_plate, name="openhcs_zarr_plate_by_token"),
    path("token/<str:token>/<str:version>/plate/<int:plate_id>.zarr/<path:key>", zarr_plate),
]
