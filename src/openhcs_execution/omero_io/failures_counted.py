# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often OMERO refused or did not answer, by code of our error. One counter per process, in whichever registries want it."""

from __future__ import annotations

from prometheus_client import Counter

__all__ = ["OMERO_ERRORS"]

OMERO_ERRORS = Counter(
    "openhcs_omero_errors", "Calls to OMERO that were refused or not answered, by code of the error.", ["code"], registry=None
)
