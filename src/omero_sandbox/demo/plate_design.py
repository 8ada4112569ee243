# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is in which well of the synthetic plate.

A 96-well plate (rows A-H, columns 1-12) of an assay in which an active compound raises a green cell marker (GFP):

=============  ======================  ======================================================================
column 1       negative control        DMSO: the marker stays at its base level
column 12      positive control        reference agonist: the marker is at its full level
columns 2-11   samples                 eight compounds (one per row) in ten concentrations, lowest in column 2
=============  ======================  ======================================================================

Compounds act as a Hill curve between the two controls (``effect = c / (c + EC50)``); two of them are toxic and lower the number
of cells at high concentration. A few fields are empty and a few are out of focus; none of these lie in the control columns,
so that the quality of the controls is known.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from openhcs_client import well_name

__all__ = ["COLUMNS", "FIELDS", "ROWS", "SEED", "Role", "WellPlan", "all_wells", "field_condition", "plan_well"]

ROWS, COLUMNS, FIELDS = 8, 12, 2

SEED = 20260401
"""Everything on the plate follows from this number."""

Role = Literal["negative control", "positive control", "sample"]
FieldCondition = Literal["normal", "out of focus", "empty"]

BASE_MARKER, FULL_MARKER = 400.0, 1600.0
"""GFP of a nucleus under DMSO and under the reference agonist, in photons per pixel."""

_WELL_VARIATION = 0.06
_CELLS_PER_FIELD = 48

_HIGHEST_CONCENTRATION_UM = 30.0
_DILUTION = 3.0
_EC50_UM: dict[str, float | None] = {
    "Compound A": 0.03,
    "Compound B": None,
    "Compound C": 0.5,
    "Compound D": None,
    "Compound E": 5.0,
    "Compound F": 1.0,
    "Compound G": None,
    "Compound H": 20.0,
}
_TOXIC_IC50_UM = {"Compound D": 5.0, "Compound F": 15.0}

_EMPTY_FIELDS = frozenset({("B07", 2), ("E04", 1), ("G10", 2)})
_OUT_OF_FOCUS_FIELDS = frozenset({("A05", 1), ("C09", 2), ("F03", 1), ("H08", 2)})


@dataclass(frozen=True)
class WellPlan:
    """What was done to a well, and what follows: cells per field and the level of the marker in photons per pixel."""

    well: str
    row: int
    column: int
    role: Role
    compound: str
    concentration_um: float | None
    cells_per_field: int
    marker: float


def all_wells() -> Iterator[WellPlan]:
    """Yield every well, row by row."""
    for row in range(ROWS):
        for column in range(COLUMNS):
            yield plan_well(row, column)


def plan_well(row: int, column: int) -> WellPlan:
    """Return the plan of the well at zero-based ``row`` and ``column``.

    Raises:
        ValueError: when the plate has no such well.
    """
    if not (0 <= row < ROWS and 0 <= column < COLUMNS):
        raise ValueError(f"the synthetic plate has no well at row {row}, column {column}")
    name = well_name(row, column)
    effect, survival = 0.0, 1.0
    role: Role = "sample"
    concentration: float | None = None
    if column == 0:
        role, compound = "negative control", "DMSO"
    elif column == COLUMNS - 1:
        role, compound, effect = "positive control", "Reference agonist", 1.0
    else:
        compound = f"Compound {chr(ord('A') + row)}"
        concentration = _HIGHEST_CONCENTRATION_UM / _DILUTION ** (COLUMNS - 2 - column)
        ec50, ic50 = _EC50_UM[compound], _TOXIC_IC50_UM.get(compound)
        effect = 0.0 if ec50 is None else concentration / (concentration + ec50)
        survival = 1.0 if ic50 is None else 1.0 / (1.0 + concentration / ic50)
    random = generator("well", name)
    marker = BASE_MARKER + effect * (FULL_MARKER - BASE_MARKER)
    return WellPlan(
        well=name,
        row=row,
        column=column,
        role=role,
        compound=compound,
        concentration_um=None if concentration is None else float(f"{concentration:.3g}"),
        cells_per_field=max(12, round(_CELLS_PER_FIELD * survival * random.uniform(0.9, 1.1))),
        marker=float(marker * (1 + _WELL_VARIATION * np.clip(random.standard_normal(), -2, 2))),
    )


def field_condition(well: str, field: int) -> FieldCondition:
    """Tell whether a field (counted from 1) is normal, out of focus or empty."""
    if (well, field) in _EMPTY_FIELDS:
        return "empty"
    return "out of focus" if (well, field) in _OUT_OF_FOCUS_FIELDS else "normal"


def generator(*names: str | int) -> np.random.Generator:
    """Return a random generator that is the same for the same names on every machine."""
    return np.random.default_rng([SEED, *(zlib.crc32(str(name).encode()) for name in names)])
