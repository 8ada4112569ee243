# SPDX-License-Identifier: AGPL-3.0-or-later
"""Comparing what a golden well measures with what it is expected to measure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from openhcs_client import (
    CheckState,
    ExecutionStatusName,
    ExpectedMeasurement,
    GoldenRun,
    GoldenWell,
    WellExecution,
    WellFailure,
    WellState,
    check_golden_well,
    compare_measurements,
    overall_state,
)

VALUES = st.floats(min_value=-1e12, max_value=1e12)
RELATIVE = st.floats(min_value=0, max_value=1)
ABSOLUTE = st.floats(min_value=0, max_value=1e6)


def golden_well(**expected: float | None) -> GoldenWell:
    entries = [ExpectedMeasurement(name=name, value=value) for name, value in expected.items()]
    return GoldenWell(plate_id=5, well="b2", expected=entries)


def run_of(state: WellState, status: ExecutionStatusName, **more) -> GoldenRun:
    well = WellExecution(well="B02", row=1, column=1, well_id=7, state=state, **more)
    return GoldenRun(execution_id="e1", status=status, message="", well=well, versions={"openhcs": "0.8.6"})


def expected(value: float | None, relative: float = 0.01, absolute: float = 0.0) -> GoldenWell:
    entry = ExpectedMeasurement(name="area", value=value, relative=relative, absolute=absolute)
    return GoldenWell(plate_id=5, well="A01", expected=[entry])


@given(value=VALUES, relative=RELATIVE, absolute=ABSOLUTE)
def test_the_expected_value_itself_always_agrees(value, relative, absolute):
    [difference] = compare_measurements(expected(value, relative, absolute), {"area": value})
    assert difference.agrees
    assert difference.deviation == 0


@given(value=VALUES, found=VALUES, relative=RELATIVE, absolute=ABSOLUTE)
def test_a_value_agrees_exactly_within_the_larger_of_both_tolerances(value, found, relative, absolute):
    [difference] = compare_measurements(expected(value, relative, absolute), {"area": found})
    within_relative = abs(found - value) <= relative * abs(value)
    within_absolute = abs(found - value) <= absolute
    assert difference.agrees == (within_relative or within_absolute)
    assert difference.allowed == max(absolute, relative * abs(value))


@given(value=VALUES, found=VALUES, relative=RELATIVE, absolute=ABSOLUTE)
def test_more_tolerance_never_turns_agreement_into_a_difference(value, found, relative, absolute):
    [strict] = compare_measurements(expected(value, relative, absolute), {"area": found})
    [wider] = compare_measurements(expected(value, min(1.0, 2 * relative), 2 * absolute), {"area": found})
    assert wider.agrees or not strict.agrees


@given(value=VALUES, found=VALUES)
def test_the_sign_does_not_matter(value, found):
    [one] = compare_measurements(expected(value), {"area": found})
    [mirrored] = compare_measurements(expected(-value), {"area": -found})
    assert one.agrees == mirrored.agrees
    assert one.deviation == mirrored.deviation


@given(relative=RELATIVE, absolute=ABSOLUTE, value=VALUES)
def test_no_value_agrees_with_no_value_only(relative, absolute, value):
    assert compare_measurements(expected(None, relative, absolute), {"area": None})[0].agrees
    assert not compare_measurements(expected(None, relative, absolute), {"area": value})[0].agrees
    assert not compare_measurements(expected(value, relative, absolute), {"area": None})[0].agrees


@pytest.mark.parametrize("value", [3.0, None])
def test_a_measurement_that_is_gone_never_agrees(value):
    [difference] = compare_measurements(expected(value, 1.0, 1e6), {"length": 3.0})
    assert (difference.agrees, difference.measured, difference.found) == (False, False, None)


@pytest.mark.parametrize("found", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_no_value(found):
    [difference] = compare_measurements(expected(3.0, 1.0, 1e6), {"area": found})
    assert (difference.agrees, difference.measured, difference.found) == (False, True, None)


def test_values_whose_difference_is_beyond_numbers_differ_and_can_be_written():
    [difference] = compare_measurements(expected(-1.7e308), {"area": 1.7e308})
    assert not difference.agrees
    assert '"deviation":null' in difference.model_dump_json()


def test_more_measurements_than_expected_are_no_difference():
    assert [entry.name for entry in compare_measurements(golden_well(area=1), {"area": 1, "length": 2})] == ["area"]


@pytest.mark.parametrize(
    "tolerance",
    [
        *({"relative": value} for value in (math.nan, math.inf, -0.1, 1.01, "a lot")),
        *({"absolute": value} for value in (math.nan, math.inf, -1)),
        {"value": math.nan},
    ],
)
def test_a_senseless_tolerance_is_refused(tolerance):
    with pytest.raises(ValidationError):
        ExpectedMeasurement.model_validate({"name": "area", "value": 1.0, **tolerance})


@pytest.mark.parametrize("well", ["A0", "A00", "1A", "AAA1", "A100", "A01/..", ""])
def test_what_names_no_well_is_refused(well):
    with pytest.raises(ValidationError):
        GoldenWell(plate_id=5, well=well, expected=[ExpectedMeasurement(name="area", value=1)])


def test_a_golden_well_that_was_never_run_is_not_checked():
    check = check_golden_well(golden_well(area=1), None)
    assert (check.state, check.well, check.differences) == (CheckState.NOT_CHECKED, "B02", [])


@pytest.mark.parametrize(("found", "state"), [(100.5, CheckState.AGREES), (102.0, CheckState.DIFFERS)])
def test_a_run_that_is_done_is_compared(found, state):
    run = run_of(WellState.DONE, ExecutionStatusName.COMPLETED, measurements={"area": found, "count": 3})
    check = check_golden_well(golden_well(count=3, area=100), run)
    assert (check.state, check.execution_id, check.well_id) == (state, "e1", 7)
    assert [entry.agrees for entry in check.differences] == [True, state is CheckState.AGREES]


def test_a_well_that_failed_is_told_with_its_reason():
    failure = WellFailure(cause="bad_input", message="The images are empty.")
    check = check_golden_well(golden_well(area=1), run_of(WellState.FAILED, ExecutionStatusName.FAILED, failure=failure))
    assert (check.state, check.message) == (CheckState.NOT_RUN, "The images are empty.")


def test_a_cancelled_run_says_so():
    check = check_golden_well(golden_well(area=1), run_of(WellState.SKIPPED, ExecutionStatusName.CANCELLED))
    assert check.state is CheckState.NOT_RUN
    assert "cancelled" in check.message


def test_a_run_that_goes_on_is_running():
    check = check_golden_well(golden_well(area=1), run_of(WellState.RUNNING, ExecutionStatusName.RUNNING))
    assert (check.state, check.differences) == (CheckState.RUNNING, [])


WELL_STATES = st.sampled_from([state for state in CheckState if state is not CheckState.NO_GOLDEN_WELLS])


@given(states=st.lists(WELL_STATES, min_size=1))
def test_all_agree_or_nothing_agrees(states):
    assert (overall_state(states) is CheckState.AGREES) == (set(states) == {CheckState.AGREES})
    assert (overall_state(states) is CheckState.DIFFERS) == (CheckState.DIFFERS in states)


def test_nothing_to_check_is_not_agreement():
    assert overall_state([]) is CheckState.NO_GOLDEN_WELLS
