# SPDX-License-Identifier: AGPL-3.0-or-later
"""Call the function behind a candidate with plain values: import it from the fixed table, turn choices into its own classes."""

from __future__ import annotations

import functools
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np

from ..candidates import Candidate
from ..imaging.noise import pixel_noise
from .recipes import recipe

__all__ = ["arguments_of", "call", "import_function", "plain"]

Function = Callable[..., Any]


def import_function(path: str) -> Function:
    """The function at ``path``, a dotted path from the table of candidates, without OpenHCS's decorations.

    The decorations convert types and slice stacks, which is what the adapters are there to do right.
    """
    module, _, name = path.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    return inspect.unwrap(function) if module.startswith("openhcs.") else function


def plain(answer: Any) -> Any:
    """An image out of OpenHCS's wrapping, or the answer as it is."""
    if isinstance(answer, np.ndarray):
        return answer
    return answer.data if hasattr(answer, "data") and isinstance(answer.data, np.ndarray) else answer


@functools.lru_cache(maxsize=512)
def _prepared(import_path: str, recipe_name: str | None) -> Function:
    """The function of a candidate with its enumerations filled in and its recipe, if any, around it."""
    function = _with_enumerations(import_function(import_path))
    return functools.partial(recipe(recipe_name), function) if recipe_name else function


def call(candidate: Candidate, inputs: tuple[Any, ...], parameters: Mapping[str, Any], plane: np.ndarray | None = None) -> Any:
    """Call the function of ``candidate`` with ``inputs`` and plain ``parameters``; ``plane`` is what noise is judged by."""
    arguments = arguments_of(candidate, parameters, plane)
    answer = _prepared(candidate.import_path, candidate.recipe)(*inputs, **arguments)
    if candidate.pick is not None and isinstance(answer, tuple):
        answer = answer[candidate.pick]
    return plain(answer)


def arguments_of(candidate: Candidate, parameters: Mapping[str, Any], plane: np.ndarray | None = None) -> dict[str, Any]:
    """``parameters`` as the function takes them: fixed ones added, noise in grey values, the radius as a footprint."""
    arguments = dict(candidate.fixed) | dict(parameters)
    if candidate.in_noise and plane is not None:
        noise = pixel_noise(plane[0] if plane.ndim == 3 else plane)
        arguments |= {name: arguments[name] * noise for name in candidate.in_noise}
    if candidate.footprint is not None:
        from skimage.morphology import disk

        arguments[candidate.footprint] = disk(arguments.pop("radius"))
    return arguments


def _with_enumerations(function: Function) -> Function:
    """Let ``function`` take the values of its enumerations in place of their members."""
    enumerations = {
        name: kind
        for name, parameter in inspect.signature(function).parameters.items()
        if (kind := _enumeration(function, parameter))
    }
    if not enumerations:
        return function

    @functools.wraps(function)
    def converting(*positional: Any, **named: Any) -> Any:
        for name, kind in enumerations.items():
            if isinstance(named.get(name), str):
                named[name] = _member(kind, named[name])
        return function(*positional, **named)

    return converting


def _member(kind: type[Enum], value: str) -> Enum:
    """The member of an enumeration whose value is, or begins with, ``value``; some carry more than their name.

    Raises:
        ValueError: when there is none.
    """
    for member in kind:
        if value == member.value or (isinstance(member.value, tuple) and member.value[:1] == (value,)):
            return member
    raise ValueError(f"{kind.__name__} has no {value!r}")


def _enumeration(function: Function, parameter: inspect.Parameter) -> type[Enum] | None:
    """The enumeration that a parameter takes, by its default or its annotation."""
    if isinstance(parameter.default, Enum):
        return type(parameter.default)
    annotation = parameter.annotation
    if isinstance(annotation, str):
        annotation = typing.get_type_hints(function).get(parameter.name)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    for kind in typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind
    return None
