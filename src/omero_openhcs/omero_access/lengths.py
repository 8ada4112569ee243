# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lengths in OMERO carry their own unit: nanometres from one microscope, micrometres from the next, or none at all."""

from __future__ import annotations

from typing import Any

import omero.gateway  # noqa: F401 - the parts of omero-py are complete only after it
from omero.model import LengthI

__all__ = ["micrometres"]


def micrometres(length: Any | None) -> float | None:
    """Convert a length; None when there is none, or when its unit has no size."""
    if length is None or not length.getValue() or length.getValue() <= 0:
        return None
    try:
        return float(LengthI(length, "MICROMETER").getValue())
    except ValueError:
        # Units such as "pixel" or "reference frame" have no size.
        return None
