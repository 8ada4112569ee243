# SPDX-License-Identifier: AGPL-3.0-or-later
"""The policy itself, as plain functions of plain values: who may go, who is first, and why the others wait.

An execution may be held: its user has as many executions in work as allowed, has used the day's budget, no worker has what it
needs, or OMERO is given time. Among the others the order is

1. the priority: 0 for users, 1 for power users, 2 for administrators, 4 more for a test well, and **one more for each
   ``ageing_minutes`` that its user has waited**: since the submission, or since a well of this user was given out last,
   whichever is later. Priorities grow without a bound while their user waits, and those of fresh submissions do not; so
   whoever may go is served after at most ``ageing_minutes`` x (6 - own priority + 1), and nobody starves;
2. the user who has fewest wells in work (fair share);
3. the execution that was submitted first.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openhcs_client import QueueLimits, WaitingCode

from .needs import ANYTHING, Needs, WorkerKind, some_fit

__all__ = ["Candidate", "Person", "choose", "hold", "in_order", "rank"]


@dataclass
class Candidate:
    """An execution with wells that could be given out."""

    number: int
    owner_id: int
    priority: int
    created_at: datetime
    test_well: bool = False
    started: bool = False
    in_work: int = 0
    not_before: datetime | None = None
    needs: Needs = ANYTHING


@dataclass
class Person:
    """A user's part of the machine. ``executions_in_work`` are counted apart for plates (False) and test wells (True)."""

    wells_in_work: int = 0
    executions_in_work: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    served_at: datetime | None = None
    cpu_seconds_today: float = 0.0
    executions_at_once: int | None = None
    cpu_hours_per_day: float | None = None
    gpu_seconds_today: float = 0.0
    gpu_hours_per_day: float | None = None

    def at_once(self, limits: QueueLimits) -> int:
        return limits.executions_at_once if self.executions_at_once is None else self.executions_at_once

    def budget_is_used(self, limits: QueueLimits) -> bool:
        hours = limits.cpu_hours_per_day if self.cpu_hours_per_day is None else self.cpu_hours_per_day
        return hours > 0 and self.cpu_seconds_today >= hours * 3600

    def gpu_budget_is_used(self, limits: QueueLimits) -> bool:
        hours = limits.gpu_hours_per_day if self.gpu_hours_per_day is None else self.gpu_hours_per_day
        return hours > 0 and self.gpu_seconds_today >= hours * 3600


def rank(candidate: Candidate, person: Person, limits: QueueLimits, time: datetime, ahead: int = 0) -> tuple[int, int, int]:
    """What candidates are ordered by, the smallest first. ``ahead`` counts executions of the same user before this one."""
    since = candidate.created_at if person.served_at is None else max(candidate.created_at, person.served_at)
    aged = math.floor(max(0.0, (time - since).total_seconds()) / (60 * limits.ageing_minutes))
    return (-(candidate.priority + aged), person.wells_in_work + ahead, candidate.number)


def hold(
    candidates: Iterable[Candidate],
    people: Mapping[int, Person],
    limits: QueueLimits,
    time: datetime,
    workers: Collection[WorkerKind] | None = None,
) -> dict[int, WaitingCode | None]:
    """Why each candidate may not go now, by its number; None for those that may. ``workers`` are the kinds that are there.

    An execution that has wells in work keeps its place in its user's limit; then come those that had begun, the others by
    priority and age. One that OMERO does not answer for keeps its place while it pauses.
    """
    held: dict[int, WaitingCode | None] = {}
    free: dict[tuple[int, bool], list[int]] = {}
    order = sorted(candidates, key=lambda each: (each.in_work == 0, not each.started, -each.priority, each.number))
    for candidate in order:
        person = people[candidate.owner_id]
        at_once = person.at_once(limits)
        # Places of those in work, and of those that could be.
        places = free.setdefault(
            (candidate.owner_id, candidate.test_well), [at_once, at_once - person.executions_in_work[candidate.test_well]]
        )
        place = 0 if candidate.in_work else 1
        if person.budget_is_used(limits):
            held[candidate.number] = WaitingCode.DAILY_BUDGET
        elif candidate.needs.gpu and person.gpu_budget_is_used(limits):
            held[candidate.number] = WaitingCode.GPU_BUDGET
        elif not some_fit(candidate.needs, workers):
            held[candidate.number] = WaitingCode.NO_WORKER  # and it takes no place from others of its user
        elif places[place] <= 0:
            held[candidate.number] = WaitingCode.USER_LIMIT
        else:
            places[place] -= 1
            resting = candidate.not_before is not None and candidate.not_before > time
            held[candidate.number] = WaitingCode.OMERO_UNREACHABLE if resting else None
    return held


def choose(
    candidates: Iterable[Candidate], people: Mapping[int, Person], limits: QueueLimits, time: datetime
) -> Candidate | None:
    """The candidate whose turn it is, of those that may go."""
    return min(candidates, key=lambda each: rank(each, people[each.owner_id], limits, time), default=None)


def in_order(
    candidates: Iterable[Candidate],
    held: Mapping[int, WaitingCode | None],
    people: Mapping[int, Person],
    limits: QueueLimits,
    time: datetime,
) -> list[Candidate]:
    """Candidates in the order in which they will begin: those that may go first, users taking turns within a priority."""
    ahead: dict[int, int] = {}
    keys: dict[int, tuple[bool, int, int, int]] = {}
    listed = sorted(candidates, key=lambda each: (held[each.number] is not None, -each.priority, each.number))
    for candidate in listed:
        before = ahead.get(candidate.owner_id, 0)
        ahead[candidate.owner_id] = before + 1
        key = rank(candidate, people[candidate.owner_id], limits, time, before)
        keys[candidate.number] = (held[candidate.number] is not None, *key)
    return sorted(listed, key=lambda each: keys[each.number])
