# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forecast as arithmetic, and its back-test on simulated runs."""

from __future__ import annotations

import pytest

from openhcs_execution.forecast.remaining import RunSoFar, remaining_time
from openhcs_execution.forecast.replay import PastWell, replay, summarise
from openhcs_execution.forecast.simulated import DISTRIBUTIONS, simulated_run
from openhcs_execution.forecast.slots import measured_slots


def test_nothing_is_said_when_nothing_is_known_or_nothing_is_left() -> None:
    assert remaining_time(RunSoFar(done=[], in_work=[3.0], waiting=9, slots=2)) is None
    assert remaining_time(RunSoFar(done=[3.0], in_work=[], waiting=0, slots=2)) is None


def test_wells_are_shared_out_to_the_slots() -> None:
    found = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[], waiting=40, slots=4))
    assert found is not None
    assert found.seconds == pytest.approx(100, rel=0.05)
    assert found.earliest < found.seconds < found.latest


def test_a_last_well_takes_as_long_as_it_takes_however_many_slots_there_are() -> None:
    found = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[], waiting=1, slots=8))
    assert found is not None
    assert found.seconds == pytest.approx(10, rel=0.1)


def test_what_a_well_in_work_has_taken_already_counts() -> None:
    fresh = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[0.0], waiting=0, slots=1))
    nearly = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[8.0], waiting=0, slots=1))
    assert fresh is not None
    assert nearly is not None
    assert nearly.seconds < 0.5 * fresh.seconds


def test_a_share_of_a_slot_makes_it_slower() -> None:
    whole = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[], waiting=40, slots=2))
    share = remaining_time(RunSoFar(done=[10.0] * 200, in_work=[], waiting=40, slots=1.5))
    assert whole is not None
    assert share is not None
    assert share.seconds == pytest.approx(whole.seconds * 2 / 1.5, rel=0.05)


def test_history_speaks_first_and_gives_way_to_the_run() -> None:
    history = [30.0] * 100
    before = remaining_time(RunSoFar(done=[], in_work=[], waiting=100, slots=1, history=history))
    after = remaining_time(RunSoFar(done=[10.0] * 50, in_work=[], waiting=100, slots=1, history=history))
    assert before is not None
    assert after is not None
    assert before.seconds == pytest.approx(3000, rel=0.1)
    assert after.seconds == pytest.approx(1180, rel=0.15)


def test_more_wells_make_it_surer() -> None:
    def width(wells: int) -> float:
        found = remaining_time(RunSoFar(done=[8.0, 12.0] * wells, in_work=[], waiting=100, slots=2))
        assert found is not None
        return (found.latest - found.earliest) / found.seconds

    assert width(1) > width(4) > width(100)


def test_the_same_run_gives_the_same_answer() -> None:
    run = RunSoFar(done=[3.0, 4.0, 5.0], in_work=[1.0], waiting=20, slots=2)
    assert remaining_time(run) == remaining_time(run)


def test_slots_are_measured_once_there_are_enough_wells() -> None:
    two_at_a_time = [(5.0 * (number + 1), 10.0) for number in range(30)]
    assert measured_slots(two_at_a_time, 8) == pytest.approx(2)
    assert measured_slots(two_at_a_time[:9], 8) == 8
    assert measured_slots(two_at_a_time, 1) == 1
    assert measured_slots([(1.0, 2.0)] * 50, 4) == 4


def test_a_replay_knows_nothing_of_what_came_later() -> None:
    run = simulated_run("cells", 96, 4, seed=1)
    ended = sorted(well.ended for well in run)
    later = [
        PastWell(well.ended, well.seconds) if well.ended <= ended[9] else PastWell(well.ended + 500, well.seconds + 500)
        for well in run
    ]
    one, other = replay(run, 4), replay(later, 4)
    assert one is not None
    assert other is not None
    in_work = 4
    assert other.actual == pytest.approx(one.actual + 500)
    assert abs(one.forecast - other.forecast) < 500 / 96 * in_work, "only what was in work at that moment is seen"


@pytest.mark.parametrize("distribution", sorted(DISTRIBUTIONS))
def test_after_a_tenth_of_the_wells_the_median_error_is_below_a_fifth(distribution: str) -> None:
    forecasts = [replay(simulated_run(distribution, 96, 4, seed), 4) for seed in range(20)]
    assert summarise(each for each in forecasts if each is not None).median_error < 0.20


def test_about_four_of_five_ends_lie_in_the_interval() -> None:
    forecasts = [replay(simulated_run(distribution, 96, 4, seed), 4) for distribution in DISTRIBUTIONS for seed in range(20)]
    assert 0.65 < summarise(each for each in forecasts if each is not None).coverage < 0.95
