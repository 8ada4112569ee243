# SPDX-License-Identifier: AGPL-3.0-or-later
"""Segment nuclei and measure them."""

import numpy as np
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_inputs, artifact_outputs

from ..imaging.background import background_level, sharpness
from ..imaging.nuclei import NucleiSettings
from ..imaging.nuclei import segment_nuclei as find_nuclei
from ..imaging.objects import measure_intensity, measure_shape, object_count
from ..tables import FieldMeasurements
from .artifacts import labels_from, labels_of, measurements_of
from .planes import plane_of

__all__ = ["measure_nuclei_intensity", "segment_nuclei"]


@numpy_function
@artifact_outputs(labels_of("nuclei"), measurements_of("nuclei"))
def segment_nuclei(
    image: np.ndarray,
    channel: int = 1,
    diameter: float = 18.0,
    contrast: float = 6.0,
    smallest: float = 0.15,
    split_touching: bool = True,
    exclude_border: bool = False,
):
    """Label the nuclei of one channel of a field (channel, y, x) and measure their number, size and shape."""
    plane = plane_of(image, channel)
    settings = NucleiSettings(diameter, contrast, smallest, split_touching, exclude_border)
    labels = find_nuclei(plane, settings)
    measurements = FieldMeasurements(
        kind="nuclei",
        objects=measure_shape(labels),
        counts={"nuclei_count": object_count(labels)},
        values={"sharpness": sharpness(plane)},
    )
    return image, labels, measurements


@numpy_function
@artifact_inputs(labels_from("nuclei"))
@artifact_outputs(measurements_of("nuclei_intensity"))
def measure_nuclei_intensity(
    image: np.ndarray,
    labels: np.ndarray,
    channel: int = 1,
    name: str = "marker",
    subtract_background: bool = True,
):
    """Measure the intensity of one channel in every nucleus, above the local background if asked."""
    plane = plane_of(image, channel)
    background = background_level(plane) if subtract_background else 0.0
    intensity = measure_intensity(labels, plane, background)
    measurements = FieldMeasurements(
        kind="nuclei",
        objects={"label": np.arange(1, object_count(labels) + 1)}
        | {f"{name}_{key}": column for key, column in intensity.items()},
        values={f"{name}_background": float(np.mean(background)) if subtract_background else 0.0},
    )
    return image, measurements
