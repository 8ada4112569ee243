# SPDX-License-Identifier: AGPL-3.0-or-later
"""Even out the illumination, and measure whole fields."""

import numpy as np
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_outputs

from ..imaging import illumination
from ..imaging.background import sharpness
from ..tables import FieldMeasurements
from .artifacts import measurements_of
from .planes import finite, plane_of

__all__ = ["correct_illumination", "measure_field_intensity"]


@numpy_function
def correct_illumination(image: np.ndarray, dark_level: float = 0.0, quantile: float = 0.3):
    """Divide out the uneven illumination of one channel, estimated from all fields of the well (field, y, x).

    The fields share only the illumination; no field's pixels get into another's. The result is float32 and keeps the mean
    grey value of what was above ``dark_level``.
    """
    gain = illumination.estimate_illumination(finite(image), dark_level, quantile)
    return illumination.correct_illumination(image, gain, dark_level)


@numpy_function
@artifact_outputs(measurements_of("field_intensity"))
def measure_field_intensity(image: np.ndarray, channel: int = 1, name: str = "field"):
    """Measure the grey values of one channel over a whole field (channel, y, x)."""
    plane = plane_of(image, channel).astype(np.float64)
    low, middle, high = np.quantile(plane, (0.05, 0.5, 0.95))
    measurements = FieldMeasurements(
        kind="field",
        values={
            f"{name}_mean": float(plane.mean()),
            f"{name}_median": float(middle),
            f"{name}_standard_deviation": float(plane.std()),
            f"{name}_low": float(low),
            f"{name}_high": float(high),
            f"{name}_sharpness": sharpness(plane),
        },
    )
    return image, measurements
