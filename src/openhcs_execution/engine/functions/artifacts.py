# SPDX-License-Identifier: AGPL-3.0-or-later
"""The artifacts that our steps exchange: label images between steps, measurements towards the result.

They are declared without a materialisation, so OpenHCS keeps them in memory and hands them over with its results; the
engine writes what is wanted in the shape that is wanted.
"""

from __future__ import annotations

from openhcs.core.artifacts import ArtifactSpec, SpecialArtifactType

__all__ = ["LABELS", "MEASUREMENTS", "labels_from", "labels_of", "measurements_of"]

LABELS = "labels_"
MEASUREMENTS = "measurements_"


def labels_of(kind: str) -> ArtifactSpec:
    """Declare that a step makes a label image of ``kind``, an int32 array (y, x)."""
    return ArtifactSpec.output(LABELS + kind, SpecialArtifactType)


def labels_from(kind: str) -> ArtifactSpec:
    """Declare that a step needs the label image of ``kind`` as its parameter ``labels``."""
    return ArtifactSpec.input(LABELS + kind, SpecialArtifactType, parameter_name="labels")


def measurements_of(step: str) -> ArtifactSpec:
    """Declare that a step makes a :class:`~openhcs_execution.engine.tables.FieldMeasurements`."""
    return ArtifactSpec.output(MEASUREMENTS + step, SpecialArtifactType)
