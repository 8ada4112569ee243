# SPDX-License-Identifier: AGPL-3.0-or-later
"""Median polish against R's published example; effects of place on plates whose effect is known."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from openhcs_execution.quality.place import b_scores, drift, edge_effect, median_polish

pytestmark = pytest.mark.filterwarnings("error")

# Tukey's table of deaths from sport parachuting, as in the help page of R's medpolish(), with R's residuals.
DEATHS = np.array([[14, 15, 14], [7, 4, 7], [8, 2, 10], [15, 9, 10], [0, 2, 0]], dtype=float)
RESIDUALS_OF_R = np.array([[0, 2, 0], [0, -2, 0], [0, -5, 2], [5, 0, 0], [0, 3, 0]], dtype=float)


def noise(rows: int = 8, columns: int = 12, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 5, (rows, columns))


def test_median_polish_is_that_of_r() -> None:
    assert median_polish(DEATHS).tolist() == RESIDUALS_OF_R.tolist()


def test_additive_effects_of_rows_and_columns_are_removed_altogether() -> None:
    plate = np.arange(8.0)[:, None] * 10 + np.arange(12.0)[None, :] * 3 + 50
    assert np.allclose(median_polish(plate), 0)
    assert b_scores(plate) is None, "nothing is left that could be divided by"


def test_b_scores_show_hits_through_a_gradient() -> None:
    plate = noise() + np.arange(12)[None, :] * 40 + np.arange(8)[:, None] * 25
    plate[3, 5] += 60
    scores = b_scores(plate)
    assert scores is not None
    assert np.unravel_index(np.abs(scores).argmax(), scores.shape) == (3, 5)
    assert scores[3, 5] > 6
    # By definition: residuals over their scaled median absolute deviation.
    residuals = median_polish(plate)
    assert np.allclose(scores, residuals / stats.median_abs_deviation(residuals, axis=None, scale="normal"))


def test_missing_wells_stay_missing_and_disturb_nothing() -> None:
    plate = noise() + np.arange(12)[None, :] * 40
    plate[2, :] = np.nan
    plate[5, 4] = np.nan
    scores = b_scores(plate)
    assert scores is not None
    assert np.isnan(scores[2]).all() and np.isnan(scores[5, 4])
    assert np.isfinite(scores).sum() == 96 - 13


@pytest.mark.parametrize("plate", [np.full((8, 12), np.nan), np.full((8, 12), 7.0), np.full((1, 1), 3.0), noise(1, 12)])
def test_b_scores_that_are_not_defined(plate: np.ndarray) -> None:
    assert b_scores(plate) is None


def test_edge_effect_is_the_difference_of_medians() -> None:
    plate = noise()
    plate[[0, -1], :] += 20
    plate[1:-1, [0, -1]] += 20
    result = edge_effect(plate)
    edge = np.concatenate([plate[0], plate[-1], plate[1:-1, 0], plate[1:-1, -1]])
    assert (result.edge_wells, result.interior_wells) == (36, 60)
    assert result.difference == pytest.approx(np.median(edge) - np.median(plate[1:-1, 1:-1]))
    around = np.concatenate([edge - np.median(edge), (plate[1:-1, 1:-1] - np.median(plate[1:-1, 1:-1])).ravel()])
    assert result.difference / result.effect == pytest.approx(stats.median_abs_deviation(around, scale="normal"))
    assert result.found and "higher" in result.note


@pytest.mark.parametrize("seed", range(20))
def test_no_effect_is_seen_where_there_is_none(seed: int) -> None:
    plate = noise(seed=seed)
    assert not edge_effect(plate).found
    assert not drift(plate, "rows").found
    assert not drift(plate, "columns").found


def test_drift_along_columns_only() -> None:
    result = drift(noise() - 4 * np.arange(12), "columns")
    assert result.found and "fall" in result.note
    assert result.slope == pytest.approx(-4, abs=0.5)
    assert result.tau is not None and result.tau < -0.5
    assert not drift(noise() - 4 * np.arange(12), "rows").found


@pytest.mark.parametrize("plate", [np.full((8, 12), np.nan), np.full((8, 12), 7.0), np.zeros((2, 2)), np.full((1, 1), 3.0)])
def test_plates_that_tell_nothing_get_a_sentence(plate: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in (edge_effect(plate), drift(plate, "rows"), drift(plate, "columns")):
            assert result.note.endswith(".")
            assert not result.found
            assert result.p_value is None


def test_an_edge_that_differs_from_a_constant_plate() -> None:
    plate = np.full((8, 12), 7.0)
    plate[0] = plate[-1] = 9.0
    plate[:, 0] = plate[:, -1] = 9.0
    result = edge_effect(plate)
    assert (result.difference, result.effect, result.found) == (2, None, True)
    assert not math.isnan(result.difference or 0)
