# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs that need something of a worker, and hours on workers that have a GPU."""

from __future__ import annotations

import pytest

from openhcs_client import LimitsChange, PersonLimits, QueueLimits
from openhcs_execution.database import Database
from openhcs_execution.queue import limits, wells
from openhcs_execution.queue.audit import Actor
from openhcs_execution.queue.needs import Needs, WorkerKind, fits
from openhcs_execution.queue.policy import claim_batches
from openhcs_execution.queue.standing import read_standings
from openhcs_execution.queue.wells import Well
from tests.execution.queued import assert_consistent, computed, enqueue

ROOT = Actor(0, "root")
ON_GPU = Needs(frozenset({"gpu"}))
PLAIN, WITH_GPU = WorkerKind(memory_mb=4000), WorkerKind(frozenset({"gpu", "site=basel"}))


def claimed(database: Database, *workers: WorkerKind) -> list[int]:
    return [batch.number for batch in claim_batches(database, places=9, slots=2, largest=1, workers=set(workers))]


def reason(database: Database, number: int, *workers: WorkerKind) -> tuple[str, str]:
    with database.read() as session:
        standing = read_standings(session, QueueLimits(), set(workers))[number]
    assert standing.code is not None
    return standing.code.value, standing.reason


@pytest.mark.parametrize(
    ("needs", "worker", "fit"),
    [
        (Needs(), PLAIN, True),
        (ON_GPU, PLAIN, False),
        (ON_GPU, WITH_GPU, True),
        (Needs(frozenset({"gpu", "site=basel"})), WITH_GPU, True),
        (Needs(frozenset({"site=bern"})), WITH_GPU, False),
        (Needs(memory_mb=3000), PLAIN, True),
        (Needs(memory_mb=5000), PLAIN, False),
        (Needs(memory_mb=5000), WITH_GPU, True),
    ],
)
def test_who_fits(needs: Needs, worker: WorkerKind, fit: bool) -> None:
    assert fits(needs, worker) is fit


def test_what_no_worker_has_waits_and_says_so_and_holds_up_nobody(database: Database) -> None:
    on_gpu = enqueue(database, 2, owner=2, needs=ON_GPU)
    others = [enqueue(database, 1, owner=2) for _ in range(2)]  # as many as a user may have in work
    assert claimed(database, PLAIN) == others
    code, text = reason(database, on_gpu, PLAIN)
    assert (code, text) == ("no_worker", "No worker labelled gpu is there just now. It goes on by itself when one is.")
    for number in others:
        wells.commit_well(database, Well(number, "A01", 1), computed())
    assert claimed(database, PLAIN) == []
    assert claimed(database, PLAIN, WITH_GPU) == [on_gpu, on_gpu]
    assert_consistent(database, [on_gpu, *others])


def test_memory_is_a_need_like_others(database: Database) -> None:
    number = enqueue(database, 1, needs=Needs(memory_mb=9000))
    assert claimed(database, PLAIN) == []
    assert "with 9000 MB of memory" in reason(database, number, PLAIN)[1]
    assert claimed(database, WorkerKind(memory_mb=16000)) == [number]


def test_hours_on_gpus_are_a_budget_of_their_own(database: Database) -> None:
    limits.change_limits(database, LimitsChange(gpu_hours_per_day=1), ROOT)
    number = enqueue(database, 3, owner=2, needs=ON_GPU)
    [batch, *_] = claim_batches(database, places=1, slots=3, largest=1, workers={WITH_GPU})
    name = next(iter(batch.attempts))
    wells.commit_well(database, Well(number, name, 1), computed(seconds=3600, gpu=True))
    assert claimed(database, WITH_GPU) == []
    code, text = reason(database, number, WITH_GPU)
    assert code == "gpu_budget"
    assert text.startswith("user 2 has used the 1 GPU hours of today.")
    assert claimed(database, PLAIN, WITH_GPU) == []
    plain = enqueue(database, 1, owner=2)  # the hours of processors are counted apart
    assert claimed(database, PLAIN, WITH_GPU) == [plain]
    limits.change_person_limits(database, 2, PersonLimits(gpu_hours_per_day=2), ROOT)
    assert claimed(database, WITH_GPU) == [number, number]


def test_hours_on_plain_workers_use_up_no_gpu(database: Database) -> None:
    limits.change_limits(database, LimitsChange(gpu_hours_per_day=1), ROOT)
    number = enqueue(database, 1, owner=2)
    assert claimed(database, PLAIN) == [number]
    wells.commit_well(database, Well(number, "A01", 1), computed(seconds=7200))
    on_gpu = enqueue(database, 1, owner=2, needs=ON_GPU)
    assert claimed(database, WITH_GPU) == [on_gpu]
