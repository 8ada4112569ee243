# SPDX-License-Identifier: AGPL-3.0-or-later
"""A last step that reports the planes as the next step would see them."""

import numpy as np
from openhcs.constants.constants import GroupBy, VariableComponents
from openhcs.core.artifacts import ArtifactSpec, SpecialArtifactType
from openhcs.core.config import LazyProcessingConfig
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_outputs
from openhcs.core.steps.function_step import FunctionStep

__all__ = ["SEEN", "look", "look_step"]

SEEN = "seen"


@numpy_function
@artifact_outputs(ArtifactSpec.output(SEEN, SpecialArtifactType))
def look(image: np.ndarray):
    """Hand on the planes of a field, and report them."""
    return image, np.array(image)


def look_step() -> FunctionStep:
    """A fresh step of :func:`look`, on the channels of one field."""
    config = LazyProcessingConfig(variable_components=[VariableComponents.CHANNEL], group_by=GroupBy.SITE)
    return FunctionStep(func=look, name="Look", processing_config=config)
