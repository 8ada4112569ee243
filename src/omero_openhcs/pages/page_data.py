# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page's script needs to know: addresses (which follow OMERO.web's URL prefix) and how often to ask."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from omero_openhcs import settings

__all__ = ["common_page_data"]


def common_page_data() -> dict[str, Any]:
    """Addresses end with a slash; scripts append ids."""
    return {
        "api": reverse("openhcs_api"),
        "viewer": reverse("openhcs_index") + "viewer/",
        "pipelines_base": reverse("openhcs_pipelines"),
        "thumbnails": reverse("webgateway") + "render_thumbnail/",
        "poll_interval_ms": settings.POLL_INTERVAL_MS,
        "live": bool(settings.LIVE_URL),
    }
