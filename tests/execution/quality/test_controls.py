# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of controls against values worked out by hand, and a sentence wherever there is no figure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from openhcs_execution.quality.controls import ControlGroup, control_statistics, signal_window, ssmd, verdict_of, z_prime

# By hand: the positive wells have mean 100 and deviations 10, 0, 0, -10, so s² = 200 / 3 and s = 8.164966;
# the negative ones mean 20 and deviations 2, 0, 0, -2, so s² = 8 / 3 and s = 1.632993.
POSITIVE = [110.0, 100.0, 100.0, 90.0]
NEGATIVE = [22.0, 20.0, 20.0, 18.0]


def test_by_hand() -> None:
    result = control_statistics(POSITIVE, NEGATIVE)
    assert (result.positive_mean, result.negative_mean) == (100, 20)
    # 1 - 3 (8.164966 + 1.632993) / 80
    assert result.z_prime == pytest.approx(0.632577, abs=1e-6)
    # 80 / sqrt(200 / 3 + 8 / 3) = 80 / 8.326664
    assert result.ssmd == pytest.approx(9.607689, abs=1e-6)
    # (80 - 3 * 9.797959) / 8.164966
    assert result.signal_window == pytest.approx(6.197959, abs=1e-6)
    assert result.positive_cv == pytest.approx(8.164966, abs=1e-6)
    assert result.negative_cv == pytest.approx(8.164966, abs=1e-6)
    # MAD of 110, 100, 100, 90 around 100 is 5 (of 10, 0, 0, 10), that of the others 1: 1 - 3 * 1.482602 * 6 / 80
    assert result.z_prime_robust == pytest.approx(0.666414, abs=1e-5)
    assert result.verdict == "excellent"
    assert result.notes == []


def test_the_order_of_high_and_low_does_not_matter_for_z_prime() -> None:
    one, other = control_statistics(POSITIVE, NEGATIVE), control_statistics(NEGATIVE, POSITIVE)
    assert one.z_prime == other.z_prime
    assert one.signal_window == pytest.approx(other.signal_window)
    assert one.ssmd == pytest.approx(-other.ssmd)  # type: ignore[operator]


def test_one_odd_well_moves_the_plain_figures_and_not_the_robust_ones() -> None:
    good = control_statistics([100, 101, 99, 100, 102, 98, 100, 101], [10, 11, 9, 10, 12, 8, 10, 11])
    odd = control_statistics([100, 101, 99, 100, 102, 98, 100, 0], [10, 11, 9, 10, 12, 8, 10, 11])
    assert good.z_prime is not None and good.z_prime > 0.9
    assert odd.z_prime is not None and odd.z_prime < 0.1
    assert odd.z_prime_robust == pytest.approx(good.z_prime_robust, abs=0.05)
    assert odd.ssmd_robust == pytest.approx(good.ssmd_robust, rel=0.3)


@pytest.mark.parametrize(
    ("positive", "negative", "says"),
    [
        ([], [], "No control well"),
        ([5.0], [], "at least two"),
        ([5.0], [1.0], "1 positive and 1 negative"),
        ([5.0, 6.0, 7.0], [], "at least two"),
        ([math.nan] * 5, [math.nan] * 5, "No control well"),
        ([None] * 5, [1.0, 2.0, 3.0, 4.0], "at least two"),
        ([3.0] * 5, [3.0] * 5, "same mean"),
        ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], "same mean"),
    ],
)
def test_what_cannot_be_known_is_a_sentence_and_not_a_zero(positive: list, negative: list, says: str) -> None:
    result = control_statistics(positive, negative)
    assert (result.z_prime, result.verdict) == (None, None)
    assert any(says in note for note in result.notes), result.notes


def test_constant_controls_that_differ() -> None:
    result = control_statistics([5.0] * 4, [1.0] * 4)
    assert (result.z_prime, result.ssmd, result.signal_window) == (1.0, None, None)
    assert (result.positive_cv, result.verdict) == (0.0, "excellent")
    assert any("Neither control varies" in note for note in result.notes)
    half = control_statistics([5.0] * 4, [1.0, 2.0, 1.0, 2.0])
    assert half.ssmd is not None and half.signal_window is None
    assert any("signal window" in note for note in half.notes)


def test_two_of_each_give_figures_with_a_warning() -> None:
    result = control_statistics([10.0, 11.0], [1.0, 1.5])
    assert result.z_prime is not None
    assert any("rough" in note for note in result.notes)


def test_a_cv_around_zero_is_not_known() -> None:
    assert control_statistics([-1.0, 1.0], [5.0, 6.0]).positive_cv is None


def test_the_classes_of_zhang() -> None:
    assert [verdict_of(value) for value in (1, 0.5, 0.49, 0.001, 0, -3)] == [
        "excellent",
        "excellent",
        "marginal",
        "marginal",
        "unusable",
        "unusable",
    ]


def test_the_formulas_alone() -> None:
    high, low = ControlGroup(10, 1), ControlGroup(2, 0.5)
    assert z_prime(high, low) == pytest.approx(1 - 4.5 / 8)
    assert ssmd(high, low) == pytest.approx(8 / math.sqrt(1.25))
    assert signal_window(low, high) == pytest.approx((8 - 4.5) / 1)


numbers = st.lists(st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-3), min_size=2, max_size=30)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(numbers, numbers)
def test_against_scipy_and_numpy(positive: list[float], negative: list[float]) -> None:
    result = control_statistics(positive, negative)
    for value in (result.z_prime, result.z_prime_robust, result.ssmd, result.ssmd_robust, result.signal_window):
        assert value is None or math.isfinite(value)
    if result.ssmd is None:
        return
    # Welch's t with its n taken out is SSMD: t = (m - m') / sqrt(s²/n + s'²/n'); scipy gives s² as tvar.
    spread = math.sqrt(stats.tvar(positive) + stats.tvar(negative))
    assert result.ssmd == pytest.approx((stats.tmean(positive) - stats.tmean(negative)) / spread, rel=1e-6, abs=1e-9)
    if result.positive_cv is not None and result.positive_cv < 1e6:
        assert result.positive_cv == pytest.approx(100 * abs(stats.variation(positive, ddof=1)), rel=1e-6)
    if result.z_prime_robust is not None:
        spreads = stats.median_abs_deviation(positive, scale="normal") + stats.median_abs_deviation(negative, scale="normal")
        assert result.z_prime_robust == pytest.approx(1 - 3 * spreads / abs(np.median(positive) - np.median(negative)))
