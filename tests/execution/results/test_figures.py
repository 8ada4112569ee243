# SPDX-License-Identifier: AGPL-3.0-or-later
"""Heat maps as PNG, looked at by their pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from openhcs_client import Measurement
from openhcs_execution.database import WellRow
from openhcs_execution.dispatch.plate_figures import chosen_measurements
from openhcs_execution.results.figures import limits_of, plate_heat_map
from tests.execution.queued import DOCUMENT

GREY = (0xE0, 0xE0, 0xE0)
DARKEST, BRIGHTEST = (0, 34, 77), (253, 231, 55)
"""The ends of cividis."""


def colours(values: dict, rows: int = 8, columns: int = 12, unit: str | None = "nuclei") -> set[tuple[int, ...]]:
    """Colours that fill a good part of a well somewhere in the figure."""
    png = plate_heat_map("Nuclei", unit, values, rows, columns, "Plate")
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    found, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(int(part) for part in colour) for colour, count in zip(found, counts, strict=True) if count > 250}


def test_low_and_high_wells_have_the_ends_of_the_scale() -> None:
    low = {(row, column): 10.0 for row in range(4) for column in range(12)}
    high = {(row, column): 20.0 for row in range(4, 8) for column in range(12)}
    assert {DARKEST, BRIGHTEST} <= colours(low | high)


def test_a_missing_well_is_grey_and_one_that_was_not_run_is_white() -> None:
    run = {(row, column): float(column) for row in range(7) for column in range(12)}
    assert GREY not in colours(run)
    assert GREY in colours(run | {(0, 0): None})
    assert GREY in colours(run | {(0, 0): float("nan")})


@pytest.mark.parametrize(
    ("rows", "columns", "values"),
    [(8, 12, {}), (8, 12, {(0, 0): None}), (8, 12, {(0, 0): 3.0, (7, 11): float("inf")}), (32, 48, {(31, 47): -1.0})],
)
def test_whatever_the_values_there_is_a_figure(rows: int, columns: int, values: dict) -> None:
    png = plate_heat_map("A $title^ <b>", None, values, rows, columns, "Plate $x_")
    assert Image.open(io.BytesIO(png)).format == "PNG"


def test_one_odd_well_does_not_spoil_the_limits() -> None:
    low, high = limits_of(np.array([*range(100), 1e9]))
    assert (low, high) == (2, 98)
    assert limits_of(np.array([])) == (0, 1)


def test_a_figure_is_the_same_each_time() -> None:
    values = {(0, column): float(column) for column in range(12)}
    assert plate_heat_map("A", "u", values, 8, 12, "P") == plate_heat_map("A", "u", values, 8, 12, "P")


def test_the_primary_measurement_comes_first_and_six_are_enough() -> None:
    names = ["a", "b", "empty", "main", "c", "d", "e", "f", "g"]
    listed = [Measurement(name=name, title=name) for name in names] + [Measurement(name="o", title="o", level="object")]
    document = DOCUMENT.model_copy(update={"measurements": listed, "primary_measurement": "main"})
    wells = [WellRow(measurements=dict.fromkeys(names, 1.0) | {"empty": None, "o": 1.0}), WellRow(measurements={})]
    assert [each.name for each in chosen_measurements(document, wells)] == ["main", "a", "b", "c", "d", "e"]
