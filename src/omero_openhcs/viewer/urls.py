# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of the viewer, relative to ``/openhcs/viewer/``."""

from __future__ import annotations

from django.urls import path

from .views import viewer

urlpatterns = [path("<int:image_id>/", viewer, name="openhcs_viewer")]
