# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which images are flagged, and that few or odd values flag nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openhcs_client import well_name
from openhcs_execution.quality.images import FieldRow, flag_images


def rows(sharpness: list[float], **changes: dict[str, float]) -> list[FieldRow]:
    """One field per well with this sharpness and five nuclei; ``A03={"nuclei_count": 0}`` changes one."""
    made = []
    for number, value in enumerate(sharpness):
        well = well_name(number // 12, number % 12)
        made.append(FieldRow(well, 1, {"sharpness": value, "nuclei_count": 5.0} | changes.get(well, {})))
    return made


def usual(count: int = 40) -> list[float]:
    return list(np.random.default_rng(4).normal(0.4, 0.02, count))


def flagged(fields: list[FieldRow]) -> list[tuple[str, str]]:
    return [(flag.well, flag.kind) for flag in flag_images(fields)]


def test_a_blurred_field_is_found_and_a_sharp_one_is_not() -> None:
    values = usual()
    values[7], values[9] = 0.12, 0.9
    assert flagged(rows(values)) == [("A08", "out_of_focus")]


def test_an_outlier_that_is_hardly_less_sharp_is_not_blurred() -> None:
    values = list(np.random.default_rng(4).normal(0.4, 0.001, 40))
    values[7], values[8] = 0.38, 0.33
    assert flagged(rows(values)) == [("A09", "out_of_focus")]


def test_a_field_without_objects_is_called_that_and_not_blurred() -> None:
    values = usual()
    values[2] = 0.05
    assert flagged(rows(values, A03={"nuclei_count": 0.0})) == [("A03", "nothing_found")]


def test_a_field_where_one_kind_was_found_is_not_empty() -> None:
    assert flagged(rows(usual(), A03={"nuclei_count": 0.0, "spot_count": 2.0})) == []


def test_saturation_says_how_much() -> None:
    fields = rows(usual(), B01={"saturated_fraction": 0.02}, B02={"marker_saturated_fraction": 0.0005})
    (flag,) = flag_images(fields)
    assert (flag.well, flag.kind) == ("B01", "saturated")
    assert flag.message.startswith("2 % of the pixels")


@pytest.mark.parametrize("values", [[], [0.4] * 3 + [0.01], [0.4] * 40, [math.nan] * 40, [0.0] * 40])
def test_too_few_constant_or_missing_values_flag_nothing(values: list[float]) -> None:
    assert flagged(rows(values)) == []


def test_the_order_is_that_of_the_fields() -> None:
    values = usual()
    values[20] = 0.1
    fields = rows(values, A02={"nuclei_count": 0.0}, C01={"saturated_fraction": 0.5})
    assert [well for well, _ in flagged(fields)] == ["A02", "B09", "C01"]
