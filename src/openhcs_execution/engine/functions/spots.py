# SPDX-License-Identifier: AGPL-3.0-or-later
"""Find spots and measure them."""

import numpy as np
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_outputs

from ..imaging.background import sharpness
from ..imaging.objects import measure_intensity, measure_shape, object_count
from ..imaging.spots import SpotSettings, local_level
from ..imaging.spots import find_spots as find
from ..tables import FieldMeasurements
from .artifacts import labels_of, measurements_of
from .planes import plane_of

__all__ = ["find_spots"]


@numpy_function
@artifact_outputs(labels_of("spots"), measurements_of("spots"))
def find_spots(image: np.ndarray, channel: int = 1, diameter: float = 4.0, contrast: float = 8.0, roundness: float = 0.3):
    """Label the spots of one channel of a field (channel, y, x); measure each above what surrounds it."""
    plane = plane_of(image, channel).astype(np.float32)
    labels = find(plane, SpotSettings(diameter, contrast, roundness))
    surroundings = local_level(plane, labels, diameter)
    shape = measure_shape(labels)
    above = measure_intensity(labels, plane, surroundings)
    light = float(plane.sum())
    measurements = FieldMeasurements(
        kind="spots",
        objects={name: shape[name] for name in ("label", "centroid_y", "centroid_x", "touches_border")}
        | {"spot_area": shape["area"], "spot_intensity": above["mean"], "spot_total_intensity": above["total"]},
        counts={"spot_count": object_count(labels)},
        values={
            "spot_area_fraction": float(np.count_nonzero(labels)) / labels.size,
            "spot_light_fraction": float(above["total"].sum()) / light if light > 0 else 0.0,
            "spot_sharpness": sharpness(plane),
        },
    )
    return image, labels, measurements
