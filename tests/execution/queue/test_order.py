# SPDX-License-Identifier: AGPL-3.0-or-later
"""The policy as plain values: who may go, who is first, and that nobody starves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from openhcs_client import QueueLimits, WaitingCode
from openhcs_execution.queue.order import Candidate, Person, choose, hold, in_order

NOW = datetime(2026, 11, 25, 12)
LIMITS = QueueLimits(executions_at_once=2, cpu_hours_per_day=0, ageing_minutes=10)


def candidate(number: int, owner: int = 1, priority: int = 0, *, waits: float = 0, **more) -> Candidate:
    """An execution submitted ``waits`` minutes ago."""
    return Candidate(number, owner, priority, NOW - timedelta(minutes=waits), **more)


def first(candidates: list[Candidate], people: dict[int, Person]) -> int:
    chosen = choose(candidates, people, LIMITS, NOW)
    assert chosen is not None
    return chosen.number


def test_priority_comes_before_fairness_and_fairness_before_age() -> None:
    old, young, urgent = candidate(1, 10), candidate(2, 20), candidate(3, 10, 1)
    people = {10: Person(wells_in_work=5), 20: Person()}
    assert first([old, young, urgent], people) == 3
    assert first([old, young], people) == 2
    assert first([old, young], {10: Person(), 20: Person()}) == 1
    assert choose([], {}, LIMITS, NOW) is None


@pytest.mark.parametrize(("waits", "chosen"), [(9, 2), (10, 2), (20, 1), (29, 1)])
def test_waiting_raises_the_priority(waits: float, chosen: int) -> None:
    # The other has a priority that is higher by one, and the same number of wells in work would let the first go.
    assert first([candidate(1, 1, waits=waits), candidate(2, 2, 1)], {1: Person(wells_in_work=1), 2: Person()}) == chosen


def test_who_was_served_waits_anew() -> None:
    served = Person(served_at=NOW - timedelta(minutes=5))
    assert first([candidate(1, 1, waits=500), candidate(2, 2, 1)], {1: served, 2: Person()}) == 2


def test_nobody_starves_behind_an_administrator_who_submits_test_wells_without_an_end() -> None:
    patient, limits = candidate(1, 1), QueueLimits(ageing_minutes=10)
    people = {1: Person(), 2: Person()}
    for minute in range(71):
        time = NOW + timedelta(minutes=minute)
        newest = Candidate(2 + minute, 2, 6, time)
        if choose([patient, newest], people, limits, time) is patient:
            break
        people[2].served_at = time
    assert minute <= 70


def test_limits_hold_back_what_is_too_much_and_count_test_wells_apart() -> None:
    mine = [candidate(1, in_work=1, started=True), candidate(2, started=True), candidate(3, 1, 2)]
    tests = [candidate(4, 1, 4, test_well=True)]
    person = Person(wells_in_work=1, executions_in_work={False: 1, True: 0})
    held = hold([*mine, *tests], {1: person}, LIMITS, NOW)
    # The one that had begun goes on before one that has not, whatever its priority.
    assert held == {1: None, 2: None, 3: WaitingCode.USER_LIMIT, 4: None}
    person.executions_at_once = 3
    assert hold([*mine, *tests], {1: person}, LIMITS, NOW)[3] is None


def test_what_is_in_work_elsewhere_takes_its_place_in_the_limit() -> None:
    # Two executions are in work that have no further well to give: only their wells are counted.
    held = hold([candidate(3)], {1: Person(executions_in_work={False: 2, True: 0})}, LIMITS, NOW)
    assert held == {3: WaitingCode.USER_LIMIT}


def test_the_budget_of_a_day_and_ones_own() -> None:
    limits = LIMITS.model_copy(update={"cpu_hours_per_day": 1.0})
    for seconds, own, code in (
        (3599, None, None),
        (3600, None, WaitingCode.DAILY_BUDGET),
        (3600, 2.0, None),
        (3600, 0.0, None),
        (1800, 0.5, WaitingCode.DAILY_BUDGET),
    ):
        person = Person(cpu_seconds_today=seconds, cpu_hours_per_day=own)
        assert hold([candidate(1)], {1: person}, limits, NOW) == {1: code}


def test_the_order_that_is_told_lets_users_take_turns_and_puts_those_that_are_held_last() -> None:
    queue = [candidate(1, 1), candidate(2, 1), candidate(3, 1), candidate(4, 2), candidate(5, 3, 4, test_well=True)]
    people = {owner: Person() for owner in (1, 2, 3)}
    held = hold(queue, people, LIMITS, NOW)
    assert [each.number for each in in_order(queue, held, people, LIMITS, NOW)] == [5, 1, 4, 2, 3]
