# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the catalogue needs to know of a function beyond what OpenHCS says: how to call it harmlessly, in a biologist's words.

OpenHCS registers functions with their signatures. It does not say whether a function works on one plane or mixes planes, what
becomes of grey values, or which of its parameters a biologist should see. A :class:`Candidate` says so; the adapter of its
:class:`Kind` calls the function accordingly, and the smoke test checks that what is said here is true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["CATEGORIES", "Candidate", "Gives", "Grey", "Kind", "Shown", "Takes", "shown"]

CATEGORIES = (
    "pre-processing",
    "illumination",
    "morphology",
    "segmentation",
    "objects",
    "measurement",
    "spots",
    "neurites",
    "stitching",
)
"""In the order in which a pipeline usually needs them."""


class Kind(StrEnum):
    """What goes into a function and what comes out; each kind has one adapter."""

    STEP = "step"
    """Written for this engine, decorated by hand."""
    IMAGE = "image"
    """A plane becomes a plane; steps may restrict it to channels."""
    OBJECTS = "objects"
    """A plane becomes objects: a label image, their number and shape."""
    POINTS = "points"
    """A plane becomes positions, drawn as small round objects."""
    REGROUP = "regroup"
    """Objects (and a plane, if asked for) become other objects."""
    MEASURE_OBJECTS = "measure_objects"
    """Objects and a plane become columns of numbers, one row per object."""
    MEASURE_FIELD = "measure_field"
    """A plane becomes numbers of the whole field."""
    PAINT = "paint"
    """A plane and objects become a plane."""
    WELL_IMAGE = "well_image"
    """The fields of one channel of a well, together, become as many planes."""
    WELL_FIELDS = "well_fields"
    """The fields of one channel of a well, together, become numbers of each field."""


class Takes(StrEnum):
    """How the function is handed a plane."""

    FLOAT = "float"
    """As float32 in its own grey values: libraries stretch integers, but leave decimals alone."""
    UNIT = "unit"
    """As float32 where 1 is the largest value of the image's type, as CellProfiler's functions expect."""
    SAME = "same"
    """As it is."""
    MASK = "mask"
    """As true and false: everything above zero is true."""
    STACK = "stack"
    """As a stack of this one plane, for functions that insist on three dimensions."""
    FLOAT_STACK = "float_stack"
    """As a stack of this one plane as float32 in its own grey values."""


class Gives(StrEnum):
    """What becomes of the values that the function returns."""

    SAME = "same"
    """Rounded and clipped back to the type of the image; never stretched."""
    FLOAT32 = "float32"
    """Kept as float32 in grey values, because they may be negative or small."""
    SCORE = "score"
    """Kept as float32 without a unit."""
    MASK = "mask"
    """1 where true and 0 elsewhere, in the type of the image."""


class Grey(StrEnum):
    """What becomes of grey values; the smoke test holds the function to it."""

    KEPT = "kept"
    """Mean and unit are kept: twice as bright an image gives twice as bright a result of the same mean."""
    UNITS = "units"
    """Values change but stay grey values: twice as bright an image gives a result twice as bright."""
    CHANGED = "changed"
    """Values are changed on purpose; not for measuring intensities afterwards."""
    SCORE = "score"
    """The result is a number without a unit."""
    MASK = "mask"
    """The result is yes or no per pixel."""
    UNTOUCHED = "untouched"
    """The image is handed on as it came."""


@dataclass(frozen=True)
class Shown:
    """A parameter that forms show: its name, and what is to be said instead of what was harvested."""

    name: str
    said: Mapping[str, Any] = field(default_factory=dict)


def shown(
    name: str,
    default: Any = None,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str | None = None,
    help: str = "",
    **more: Any,
) -> Shown:
    """Describe a parameter; what is left out is taken from the function itself."""
    said = {"default": default, "minimum": minimum, "maximum": maximum, "unit": unit, "help": help or None} | more
    return Shown(name, {key: value for key, value in said.items() if value is not None})


@dataclass(frozen=True)
class Candidate:
    """A function that may be offered when it passes its smoke test.

    Attributes:
        id: the id in OpenHCS's catalogue, or ``omero_openhcs:`` and a name for our own.
        import_path: where the function is imported from; the fixed table of what may be called.
        recipe: a function of :mod:`openhcs_execution.engine.adapters.recipes` that calls it with plain values, where its own
            signature is not plain.
        parameters: what forms show, in this order; everything else keeps its default.
        fixed: arguments that are always passed.
        in_noise: parameters that count in standard deviations of the pixel noise of the plane.
        footprint: name of the argument that takes a disc of the parameter ``radius``.
        pick: which value of a returned tuple is meant.
        columns: names of the returned numbers, for kinds that measure.
    """

    id: str
    kind: Kind
    title: str
    category: str
    help: str
    import_path: str
    takes: Takes = Takes.FLOAT
    gives: Gives = Gives.SAME
    grey: Grey = Grey.UNTOUCHED
    parameters: tuple[Shown, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    in_noise: tuple[str, ...] = ()
    footprint: str | None = None
    pick: int | None = None
    columns: tuple[str, ...] = ()
    of_plane: bool = True
