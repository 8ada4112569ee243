# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenHCS callables for the candidates of the tables, made when they are asked for, as attributes of this module.

OpenHCS wants every step function to be an attribute of a module, with the artifacts that it takes and makes declared. The
artifacts of our functions depend on the names that a pipeline gives to its objects, so the names are part of the attribute::

    skimage_filters_gaussian                           a filter
    skimage_filters_threshold_otsu__cells              makes the objects ``cells``
    omero_openhcs_measure_object_intensity__gfp__cells measures ``cells``; columns begin with ``cells_gfp``

Only functions of the tables are found here, whatever the attribute says.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from openhcs.core.artifacts import ArtifactSpec, SpecialArtifactType
from openhcs.core.memory import numpy as numpy_function
from openhcs.core.pipeline.function_contracts import artifact_inputs, artifact_outputs

from ..adapters.kinds import Asked, adapt
from ..candidates import Candidate, Kind, candidates
from ..catalogue import catalogue_entry
from ..naming import MAKES_LABELS, MEASURES, SEES_WELL, attribute_of, name_parameters
from .artifacts import LABELS, labels_of, measurements_of

__all__ = ["step_function"]

_SEPARATOR = "__"
_TYPES = {"integer": int, "number": float, "boolean": bool, "string": str, "choice": str, "channel": int}


def step_function(function_id: str, names: dict[str, str]) -> Callable[..., Any]:
    """The OpenHCS callable of a candidate; ``names`` are the values of its parameters that name objects and columns.

    Raises:
        KeyError: when the tables have no such candidate, or a name is missing.
    """
    ordered = [names[parameter] for parameter in name_parameters(candidates()[function_id])]
    return _made(function_id, tuple(ordered))


def __getattr__(attribute: str) -> Callable[..., Any]:
    base, *names = attribute.split(_SEPARATOR)
    function_id = _ids().get(base)
    if function_id is None or len(names) != len(name_parameters(candidates()[function_id])):
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    return _made(function_id, tuple(names))


@lru_cache(maxsize=1)
def _ids() -> dict[str, str]:
    return {attribute_of(function_id): function_id for function_id in candidates()}


@lru_cache(maxsize=1024)
def _made(function_id: str, ordered: tuple[str, ...]) -> Callable[..., Any]:
    candidate = candidates()[function_id]
    names = dict(zip(name_parameters(candidate), ordered, strict=True))
    defaults = _defaults(candidate)
    attribute = _SEPARATOR.join((attribute_of(function_id), *ordered))

    def work(image: np.ndarray, **given: Any) -> Any:
        taken: dict[str, np.ndarray] = {name: np.asarray(given.pop(name)) for name in ("objects", "others") if name in given}
        channels = tuple(given.pop("channels", ()))
        channels_per_field = given.pop("channels_per_field", 0)
        answer = adapt(Asked(candidate, image, taken, names, defaults | given, channels, channels_per_field))
        return answer if len(answer) > 1 else answer[0]

    work.__name__ = work.__qualname__ = attribute
    work.__module__ = __name__
    work.__doc__ = f"{candidate.title}: {candidate.help}"
    work.__signature__ = _signature(candidate)  # type: ignore[attr-defined]
    return numpy_function(_declared(work, candidate, names, attribute))


def _defaults(candidate: Candidate) -> dict[str, Any]:
    """The catalogue's defaults of the parameters that are values; OpenHCS passes on only what a step sets."""
    named = name_parameters(candidate)
    return {info.name: info.default for info in catalogue_entry(candidate.id).info.parameters if info.name not in named}


def _signature(candidate: Candidate) -> inspect.Signature:
    """What OpenHCS compiles parameters against: the image, label images, and plain parameters with defaults."""
    parameter, keyword = inspect.Parameter, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parts = [parameter("image", keyword, annotation=np.ndarray)]
    parts += [parameter(name, keyword, annotation=np.ndarray) for name in name_parameters(candidate) if name != "name"]
    for info in catalogue_entry(candidate.id).info.parameters:
        if info.name not in name_parameters(candidate):
            parts.append(parameter(info.name, keyword, default=info.default, annotation=_TYPES.get(info.type, object)))
    if candidate.kind in (Kind.IMAGE, Kind.PAINT, Kind.WELL_IMAGE):
        parts.append(parameter("channels", keyword, default=(), annotation=tuple[int, ...]))
    if candidate.kind in SEES_WELL:
        parts.append(parameter("channels_per_field", keyword, default=0, annotation=int))
    return inspect.Signature(parts)


def _declared(work: Callable[..., Any], candidate: Candidate, names: dict[str, str], attribute: str) -> Callable[..., Any]:
    """``work`` with its artifacts declared."""
    taken = [
        ArtifactSpec.input(LABELS + name, SpecialArtifactType, parameter_name=parameter)
        for parameter, name in names.items()
        if parameter != "name"
    ]
    made = [labels_of(names["name"])] if candidate.kind in MAKES_LABELS else []
    if candidate.kind in MEASURES:
        made.append(measurements_of(attribute))
    if made:
        work = artifact_outputs(*made)(work)
    return artifact_inputs(*taken)(work) if taken else work
