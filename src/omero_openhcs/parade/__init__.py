# SPDX-License-Identifier: AGPL-3.0-or-later
"""What OpenHCS measured, for OMERO.parade: name ``omero_openhcs.parade`` in ``omero.web.parade.filters``.

OMERO.parade imports ``data_providers`` and ``omero_filters`` below every name in that list. Nothing here imports OMERO.parade.
"""
