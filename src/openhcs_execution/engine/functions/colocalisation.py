# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compare two channels inside nuclei."""

import numpy as np
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_inputs, artifact_outputs

from ..imaging.background import background_level, noise_level, smooth
from ..imaging.colocalisation import manders, pearson
from ..imaging.objects import object_count
from ..tables import FieldMeasurements
from .artifacts import labels_from, measurements_of
from .planes import plane_of

__all__ = ["measure_colocalisation"]


@numpy_function
@artifact_inputs(labels_from("nuclei"))
@artifact_outputs(measurements_of("colocalisation"))
def measure_colocalisation(
    image: np.ndarray, labels: np.ndarray, first_channel: int = 1, second_channel: int = 2, contrast: float = 3.0
):
    """Pearson's and Manders' coefficients of two channels in every nucleus of a field (channel, y, x).

    A channel is present where it is ``contrast`` standard deviations above the background of the field.
    """
    planes = [plane_of(image, channel).astype(np.float32) for channel in (first_channel, second_channel)]
    planes = [plane - background_level(plane) for plane in planes]
    first, second = planes
    first_present, second_present = (_present(plane, contrast) for plane in planes)
    m1, m2 = manders(labels, first, second, first_present, second_present)
    measurements = FieldMeasurements(
        kind="nuclei",
        objects={
            "label": np.arange(1, object_count(labels) + 1),
            "pearson": pearson(labels, first, second),
            "manders_m1": m1,
            "manders_m2": m2,
        },
    )
    return image, measurements


def _present(plane: np.ndarray, contrast: float) -> np.ndarray:
    """Where a background-subtracted plane stands out of the noise of its background."""
    smoothed = smooth(plane, 1.0)
    return smoothed > contrast * noise_level(smoothed)
