# SPDX-License-Identifier: AGPL-3.0-or-later
"""Committed events become counts and times.

A listener of the database: it sees each event once, after its transaction. Times of steps are differences between events of one
well, so they contain how long the reports were on their way (milliseconds).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from openhcs_client import FailureClass, PipelineDocument
from openhcs_execution.database import Database, EventRow, ExecutionInput, ExecutionRow, Told
from openhcs_execution.queue.adding import class_of_priority

from .meters import Meters

__all__ = ["EventMeter", "kind_of"]

_MOST_REMEMBERED = 4096
"""Wells in work, and documents: more than are ever in work at the same time."""

_CLASSES = frozenset(FailureClass)
_STEPS_ARE_OVER = frozenset({"well_staging", "well_failed", "well_skipped", "well_retried"})

Key = TypeVar("Key")
Value = TypeVar("Value")


def kind_of(test_well: bool) -> str:
    """The label that keeps tests of one well apart from runs of plates."""
    return "test_well" if test_well else "plate"


@dataclass
class _WellSteps:
    """Names of the steps that a well has entered, with the times at which it did."""

    entered: list[tuple[str, datetime]]


class EventMeter:
    """Feeds :class:`Meters` with what the database tells."""

    def __init__(self, database: Database, meters: Meters) -> None:
        self._database, self._meters = database, meters
        self._wells: OrderedDict[tuple[int, str], _WellSteps] = OrderedDict()
        self._steps: OrderedDict[int, list[tuple[str, str]]] = OrderedDict()

    def __call__(self, told: Sequence[Told]) -> None:
        for execution, event in told:
            self._meters.events.labels(event.kind).inc()
            if event.well is None:
                self._of_execution(execution, event)
            else:
                self._of_well(execution, event, event.well)

    def _of_execution(self, execution: ExecutionRow, event: EventRow) -> None:
        if event.kind == "started" and "started_at" in event.data:
            waited = (event.time - execution.created_at).total_seconds()
            priority_class = class_of_priority(execution.priority).name.lower()
            self._meters.waited.labels(priority_class, kind_of(execution.test_well)).observe(max(0.0, waited))
        elif event.kind == "finished":
            self._meters.executions_ended.labels(event.data["status"]).inc()
            self._steps.pop(execution.number, None)

    def _of_well(self, execution: ExecutionRow, event: EventRow, well: str) -> None:
        key = (execution.number, well)
        if event.kind == "well_step":
            _keep(self._wells, key, _WellSteps([])).entered.append((event.data["step_name"], event.time))
        elif event.kind in _STEPS_ARE_OVER:
            self._wells.pop(key, None)
            if event.kind == "well_failed":
                cause = event.data["failure"]["cause"]
                self._meters.wells_failed.labels(cause if cause in _CLASSES else "other").inc()
            elif event.kind == "well_retried" and "failure" not in event.data:
                self._meters.wells_again.inc()
        elif event.data.get("seconds") is not None:  # the one event of its commit, `well_saving` or `well_done`
            kind = kind_of(execution.test_well)
            self._meters.wells_committed.labels(kind).inc()
            self._meters.well_seconds.labels(kind).observe(event.data["seconds"])
            steps = self._wells.pop(key, None)
            if steps is not None:
                self._note_steps(execution, steps, event.time)

    def _note_steps(self, execution: ExecutionRow, steps: _WellSteps, end: datetime) -> None:
        ends = [time for _name, time in steps.entered[1:]] + [end]
        left = iter(self._steps_of(execution.number))
        for (name, begun), ended in zip(steps.entered, ends, strict=True):
            # In the order of the document, in which the engine may leave out some: the projection of a single focal plane.
            function = next((function for asked, function in left if asked == name), None)
            if function is not None:
                self._meters.step_seconds.labels(function).observe(max(0.0, (ended - begun).total_seconds()))

    def _steps_of(self, number: int) -> list[tuple[str, str]]:
        """Names and functions of the enabled steps; functions are ids of the catalogue, because others are refused."""
        if number not in self._steps:
            with self._database.read() as session:
                text = session.get_one(ExecutionInput, number).applied_document
            document = PipelineDocument.model_validate_json(text)
            # The log has names as long as its column.
            _keep(self._steps, number, [(step.name[:255], step.function) for step in document.steps if step.enabled])
        return self._steps[number]


def _keep(entries: OrderedDict[Key, Value], key: Key, new: Value) -> Value:
    value = entries.setdefault(key, new)
    while len(entries) > _MOST_REMEMBERED:
        entries.popitem(last=False)
    return value
