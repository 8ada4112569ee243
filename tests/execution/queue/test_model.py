# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue against a model of it: whatever people, workers and administrators do in whatever order, no well is given out twice
or committed twice, limits and pauses hold, nothing that may go is left lying, and all counters are what the wells say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from openhcs_client import ExecutionStatusName, FailureClass, LimitsChange, OpenHCSError, QueueLimits, WellFailure
from openhcs_execution.database import Database
from openhcs_execution.queue import executions, limits, wells
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.policy import claim_batches
from openhcs_execution.queue.recovery import recover
from openhcs_execution.queue.retrying import automatic
from openhcs_execution.queue.standing import read_standings
from openhcs_execution.queue.wells import Well
from tests.execution.queued import assert_consistent, computed, enqueue, execution, well

ROOT = Actor(0, "root")
OPEN = (ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING)
_PICK = st.integers(0, 10_000)


@dataclass
class ModelWell:
    """``state`` is waiting, claimed, begun, done, failed or skipped."""

    state: str = "waiting"
    attempt: int = 0
    retried: int = 0
    losses: int = 0
    false_starts: int = 0
    alone: bool = False


@dataclass
class ModelExecution:
    owner: int
    test_well: bool
    wells: dict[str, ModelWell]
    paused: bool = False
    past: list[Well] = field(default_factory=list)  # attempts that are over

    def count(self, *states: str) -> int:
        return sum(each.state in states for each in self.wells.values())

    @property
    def in_work(self) -> bool:
        return self.count("claimed", "begun") > 0


class QueueMachine(RuleBasedStateMachine):
    """What may happen to a queue, one thing at a time."""

    new_url: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(type(self).new_url())
        self.model: dict[int, ModelExecution] = {}
        self.draining = False
        self.at_once = QueueLimits().executions_at_once
        self.committed: Counter[tuple[int, str]] = Counter()

    def teardown(self) -> None:
        self.database.close()

    # ----------------------------------------------------------------- what people do

    @initialize()
    def somebody_submits(self) -> None:
        self.submit(1, 3, False)

    @rule(owner=st.integers(1, 3), count=st.integers(1, 5), test_well=st.booleans())
    def submit(self, owner: int, count: int, test_well: bool) -> None:
        number = enqueue(self.database, count, owner=owner, test_well=test_well)
        names = [f"A{column:02}" for column in range(1, (1 if test_well else count) + 1)]
        self.model[number] = ModelExecution(owner, test_well, {name: ModelWell() for name in names})

    @rule(pick=_PICK)
    def pause(self, pick: int) -> None:
        number, model = self._execution(pick)
        if self._allowed(lambda: executions.pause(self.database, number, ROOT), self._is_open(number)):
            model.paused = True
            for name, each in model.wells.items():
                if each.state == "claimed":
                    self._over(number, name, "waiting")

    @rule(pick=_PICK)
    def resume(self, pick: int) -> None:
        number, model = self._execution(pick)
        final = ExecutionStatusName(execution(self.database, number).status).is_final
        if self._allowed(lambda: executions.resume(self.database, number, ROOT), not final):
            model.paused = False

    @rule(pick=_PICK)
    def cancel(self, pick: int) -> None:
        number, model = self._execution(pick)
        status = ExecutionStatusName(execution(self.database, number).status)
        may = not status.is_final or status == ExecutionStatusName.CANCELLED
        if self._allowed(lambda: executions.cancel(self.database, number, ROOT), may):
            model.paused = False
            for name, each in model.wells.items():
                if each.state in ("waiting", "claimed", "begun"):
                    self._over(number, name, "skipped")

    @rule(pick=_PICK, which=st.sampled_from(["unfinished", "failed", "skipped"]))
    def retry(self, pick: int, which: str) -> None:
        number, model = self._execution(pick)
        states = {"unfinished": ("failed", "skipped"), "failed": ("failed",), "skipped": ("skipped",)}[which]
        if self._allowed(lambda: executions.retry(self.database, number, which=which, by=ROOT), model.count(*states) > 0):
            for each in model.wells.values():
                if each.state in states:
                    each.state, each.retried, each.losses, each.false_starts = "waiting", 0, 0, 0

    # ----------------------------------------------------------------- what administrators do

    @rule()
    def drain(self) -> None:
        assert limits.drain(self.database, ROOT) is not self.draining
        self.draining = True
        for number, model in self.model.items():
            for name, each in model.wells.items():
                if each.state == "claimed":
                    self._over(number, name, "waiting")

    @precondition(lambda self: self.draining)
    @rule()
    def undrain(self) -> None:
        assert limits.undrain(self.database, ROOT)
        self.draining = False

    @rule(at_once=st.integers(1, 3))
    def change_the_limit(self, at_once: int) -> None:
        limits.change_limits(self.database, LimitsChange(executions_at_once=at_once), ROOT)
        self.at_once = at_once

    # ----------------------------------------------------------------- what the dispatcher and the workers do

    @rule(places=st.integers(1, 4))
    def claim(self, places: int) -> None:
        before = {number for number, model in self.model.items() if model.in_work}
        batches = claim_batches(self.database, places=places, slots=2, largest=2)
        assert not (batches and self.draining)
        for batch in batches:
            model = self.model[batch.number]
            assert not model.paused
            for name, attempt in batch.attempts.items():
                each = model.wells[name]
                assert each.state == "waiting"  # given out once, and never after it was committed
                assert attempt == each.attempt + 1
                assert not each.alone or (len(batch.attempts) == 1 and not model.in_work)
                each.state, each.attempt = "claimed", attempt
            for part in self._part_of(model.owner, model.test_well) - before:
                assert len(self._part_of(model.owner, model.test_well)) <= self.at_once, part
        if len(batches) < places and not self.draining:
            assert [number for number in self.model if self._may_go(number)] == []

    def _part_of(self, owner: int, test_well: bool) -> set[int]:
        return {
            number
            for number, model in self.model.items()
            if (model.owner, model.test_well) == (owner, test_well) and model.in_work
        }

    def _may_go(self, number: int) -> bool:
        model = self.model[number]
        if model.paused or execution(self.database, number).status not in OPEN:
            return False
        waiting = [each for each in model.wells.values() if each.state == "waiting"]
        alone_in_work = any(each.alone and each.state in ("claimed", "begun") for each in model.wells.values())
        if not waiting or alone_in_work or (model.in_work and all(each.alone for each in waiting)):
            return False
        part = self._part_of(model.owner, model.test_well)
        return len(part | {number}) <= self.at_once

    @rule(pick=_PICK)
    def begin(self, pick: int) -> None:
        if attempt := self._attempt(pick, "claimed"):
            assert wells.well_staging(self.database, attempt, "worker-0")
            self._model_of(attempt).state = "begun"

    @rule(pick=_PICK)
    def commit(self, pick: int) -> None:
        if attempt := self._attempt(pick, "begun"):
            assert wells.commit_well(self.database, attempt, computed())
            self._over(attempt.number, attempt.name, "done")
            self.committed[attempt.number, attempt.name] += 1

    @rule(pick=_PICK, cause=st.sampled_from(list(FailureClass)))
    def fail(self, pick: int, cause: FailureClass) -> None:
        if attempt := self._attempt(pick, "begun"):
            assert wells.fail_well(self.database, attempt, WellFailure(cause=cause, message="It failed."), 1.0)
            each, behaviour = self._model_of(attempt), automatic(cause)
            again = each.retried < behaviour.retries and not self.model[attempt.number].test_well
            if again:
                each.retried, each.alone = each.retried + 1, each.alone or behaviour.alone
            self._over(attempt.number, attempt.name, "waiting" if again else "failed")

    @rule(pick=_PICK)
    def lose_the_worker(self, pick: int) -> None:
        if attempt := self._attempt(pick, "claimed", "begun"):
            each = self._model_of(attempt)
            if each.state == "begun":
                each.losses, each.alone = each.losses + 1, True
            else:
                each.false_starts += 1
            assert wells.lose_worker(self.database, attempt)
            over = each.losses >= wells.MAXIMUM_LOSSES or each.false_starts >= wells.MAXIMUM_FALSE_STARTS
            self._over(attempt.number, attempt.name, "failed" if over else "waiting")

    @rule(pick=_PICK)
    def put_back(self, pick: int) -> None:
        if attempt := self._attempt(pick, "claimed", "begun"):
            assert wells.put_back(self.database, attempt)
            self._over(attempt.number, attempt.name, "waiting")

    @rule(pick=_PICK)
    def a_late_report_changes_nothing(self, pick: int) -> None:
        past = [attempt for model in self.model.values() for attempt in model.past]
        if past:
            attempt = past[pick % len(past)]
            assert not wells.well_staging(self.database, attempt, "worker-1")
            assert not wells.commit_well(self.database, attempt, computed())
            assert not wells.fail_well(self.database, attempt, WellFailure(cause=FailureClass.BAD_INPUT, message="Late."))
            assert not wells.lose_worker(self.database, attempt)

    @rule()
    def the_service_starts_again(self) -> None:
        """Whatever was in work is given up without blame, and nothing else changes."""
        in_work = {
            (number, name, each.attempt)
            for number, model in self.model.items()
            for name, each in model.wells.items()
            if each.state in ("claimed", "begun")
        }
        assert {(each.number, each.name, each.attempt) for each in recover(self.database)} == in_work
        for number, name, _attempt in in_work:
            self._over(number, name, "waiting")
        assert recover(self.database) == []

    @rule(picks=st.lists(_PICK, min_size=1, max_size=4))
    def several_reports_at_once(self, picks: list[int]) -> None:
        """Commits of one execution that become one transaction, some of them reported twice."""
        if first := self._attempt(picks[0], "begun"):
            model = self.model[first.number]
            begun = [Well(first.number, name, each.attempt) for name, each in model.wells.items() if each.state == "begun"]
            reported = [begun[pick % len(begun)] for pick in picks]
            with wells.many_reports(self.database, first.number, [each.name for each in reported]):
                taken = [wells.commit_well(self.database, each, computed()) for each in reported]
            assert taken == [each not in reported[:position] for position, each in enumerate(reported)]
            for each in dict.fromkeys(reported):
                self._over(each.number, each.name, "done")
                self.committed[each.number, each.name] += 1

    @rule(pick=_PICK)
    def save(self, pick: int) -> None:
        number, _model = self._execution(pick)
        saving = execution(self.database, number).status == ExecutionStatusName.SAVING
        assert executions.finish(self.database, number) is saving

    # ----------------------------------------------------------------- what always holds

    @invariant()
    def the_wells_are_what_the_model_says(self) -> None:
        for number, model in self.model.items():
            for name, each in model.wells.items():
                row = well(self.database, number, name)
                state = {"claimed": "waiting", "begun": "staging"}.get(each.state, each.state)
                assert (row.state, row.claimed) == (state, each.state in ("claimed", "begun")), (number, name)
                assert row.attempt == each.attempt
            assert execution(self.database, number).paused is model.paused
        assert_consistent(self.database, list(self.model))
        assert all(times == 1 for times in self.committed.values())

    @invariant()
    def whatever_waits_has_a_reason_and_places_are_counted_from_one(self) -> None:
        with self.database.read() as session:
            standings = read_standings(session, QueueLimits())
        places = [standing.position for standing in standings.values() if standing.position is not None]
        assert places == list(range(1, len(places) + 1))
        for number, model in self.model.items():
            waits = model.count("waiting") > 0 and execution(self.database, number).status in OPEN
            if waits and not model.paused and not model.in_work:
                assert standings[number].code is not None
                assert standings[number].reason.endswith(".")

    # ----------------------------------------------------------------- helpers

    def _execution(self, pick: int) -> tuple[int, ModelExecution]:
        number = sorted(self.model)[pick % len(self.model)]
        return number, self.model[number]

    def _is_open(self, number: int) -> bool:
        status = ExecutionStatusName(execution(self.database, number).status)
        return not status.is_final and status != ExecutionStatusName.SAVING

    def _attempt(self, pick: int, *states: str) -> Well | None:
        found = [
            Well(number, name, each.attempt)
            for number, model in self.model.items()
            for name, each in model.wells.items()
            if each.state in states
        ]
        return found[pick % len(found)] if found else None

    def _model_of(self, attempt: Well) -> ModelWell:
        return self.model[attempt.number].wells[attempt.name]

    def _over(self, number: int, name: str, state: str) -> None:
        """An attempt has ended, if one was made, and the well is in ``state``. A run whose last well ended is not paused."""
        model = self.model[number]
        each = model.wells[name]
        if each.state in ("claimed", "begun"):
            model.past.append(Well(number, name, each.attempt))
        each.state = state
        if model.count("waiting", "claimed", "begun") == 0:
            model.paused = False

    @staticmethod
    def _allowed(deed: Callable[[], object], may: bool) -> bool:
        """Do it; it is refused when it may not be done, and only then."""
        try:
            deed()
        except OpenHCSError as error:
            assert not may, error
            return False
        assert may
        return True


def test_whatever_happens_the_queue_does_what_its_model_does(new_url: Callable[[], str]) -> None:
    QueueMachine.new_url = staticmethod(new_url)
    run_state_machine_as_test(
        QueueMachine,
        settings=settings(
            max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
