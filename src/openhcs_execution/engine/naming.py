# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which names a function takes and makes: of objects, and of the columns of its measurements."""

from __future__ import annotations

from .candidates import Candidate, Kind

__all__ = ["ADAPTED", "MAKES_LABELS", "MEASURES", "SEES_WELL", "attribute_of", "name_parameters"]

ADAPTED = "openhcs_execution.engine.functions.adapted"
"""The module that has the callables of candidates as attributes."""

MAKES_LABELS = frozenset({Kind.OBJECTS, Kind.POINTS, Kind.REGROUP})
MEASURES = MAKES_LABELS | {Kind.MEASURE_OBJECTS, Kind.MEASURE_FIELD, Kind.WELL_FIELDS}
SEES_WELL = frozenset({Kind.WELL_IMAGE, Kind.WELL_FIELDS})
_TAKES_LABELS = frozenset({Kind.REGROUP, Kind.MEASURE_OBJECTS, Kind.PAINT})


def name_parameters(candidate: Candidate) -> tuple[str, ...]:
    """The parameters of an adapted function that name things: ``name`` (what it makes), ``objects`` and ``others``."""
    names: tuple[str, ...] = ("name",) if candidate.kind in MEASURES else ()
    if candidate.kind in _TAKES_LABELS:
        names += ("objects",)
    return names + tuple(shown.name for shown in candidate.parameters if shown.said.get("type") == "objects")


def attribute_of(function_id: str) -> str:
    """The attribute of :data:`ADAPTED` that stands for a candidate, without names of objects."""
    return function_id.replace(":", "_").replace(".", "_")
