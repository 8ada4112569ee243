# SPDX-License-Identifier: AGPL-3.0-or-later
"""The functions that a pipeline may name: a small list, curated by hand, checked by tests against the real signatures.

OpenHCS registers some 265 functions. Most need more than an image, change grey values, or touch files, so being registered
is no licence: what is not in ``functions.json`` cannot be run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

from openhcs_client import FunctionInfo, FunctionParameter

__all__ = ["PROJECTION", "CatalogueEntry", "Grouping", "catalogue_entry", "function", "load_functions"]

PROJECTION = "openhcs:create_projection"
"""Sees the focal planes of a field together."""

_ILLUMINATION = "omero_openhcs:correct_illumination"
"""Sees the fields of a well together, because they share their illumination."""

Dimension = Literal["site", "channel", "z_index"]


@dataclass(frozen=True)
class Grouping:
    """Which planes one call of a function sees together: stacked ``over`` a dimension, one call for each of ``by``.

    OpenHCS leaves this to each step; with the wrong choice a function silently mixes fields. So it belongs to the function.
    """

    over: Dimension
    by: Dimension


_ONE_FIELD = Grouping(over="channel", by="site")
_GROUPINGS = {PROJECTION: Grouping(over="z_index", by="channel"), _ILLUMINATION: Grouping(over="site", by="channel")}


@dataclass(frozen=True)
class CatalogueEntry:
    """A function of the catalogue, with its parameters by name."""

    info: FunctionInfo
    parameters: dict[str, FunctionParameter]

    def parameter(self, name: str) -> FunctionParameter:
        """Return the parameter called ``name``.

        Raises:
            KeyError: when the function has none.
        """
        return self.parameters[name]

    @property
    def is_filter(self) -> bool:
        """Whether it only changes images, plane by plane, so that a step may restrict it to some channels."""
        return self.info.inputs == self.info.outputs == ["image"] and self.grouping == _ONE_FIELD

    @property
    def grouping(self) -> Grouping:
        """What one call of the function sees: the channels of one field, unless the function is about more."""
        return _GROUPINGS.get(self.info.id, _ONE_FIELD)


@lru_cache(maxsize=1)
def _entries() -> dict[str, CatalogueEntry]:
    text = resources.files(__package__).joinpath("functions.json").read_text(encoding="utf-8")
    infos = [FunctionInfo.model_validate(entry) for entry in json.loads(text)["functions"]]
    return {info.id: CatalogueEntry(info, {parameter.name: parameter for parameter in info.parameters}) for info in infos}


def load_functions() -> list[FunctionInfo]:
    """Every function of the catalogue, in the order in which pages show them; those not offered carry a reason."""
    return [entry.info.model_copy(deep=True) for entry in _entries().values()]


def catalogue_entry(function_id: str) -> CatalogueEntry:
    """Return one entry.

    Raises:
        KeyError: when the catalogue has no such function.
    """
    return _entries()[function_id]


def function(function_id: str) -> FunctionInfo | None:
    """Return what is known about one function, or ``None`` when the catalogue has no such function."""
    entry = _entries().get(function_id)
    return entry.info.model_copy(deep=True) if entry else None
