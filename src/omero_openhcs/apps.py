# SPDX-License-Identifier: AGPL-3.0-or-later
"""The Django app. Its label decides the URL: everything lives under ``/openhcs/``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

__all__ = ["OpenHCSConfig"]


class OpenHCSConfig(AppConfig):
    """The OpenHCS plugin of OMERO.web."""

    name = "omero_openhcs"
    label = "openhcs"
    verbose_name = "OpenHCS"

    def ready(self) -> None:
        """Refuse to start half configured.

        Raises:
            ImproperlyConfigured: when OMERO.web did not process our settings, which it does not report itself.
        """
        from . import settings

        missing = [entry[0] for entry in settings.CUSTOM_SETTINGS_MAPPINGS.values() if not hasattr(settings, entry[0])]
        if missing:
            raise ImproperlyConfigured(
                "OMERO.web did not process the settings of omero_openhcs "
                f"({', '.join(missing)} missing): add the app with omero.web.apps, not through INSTALLED_APPS."
            )
