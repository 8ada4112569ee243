# SPDX-License-Identifier: AGPL-3.0-or-later
"""What steps made is remembered by content: a test that reuses it gives bit for bit what a fresh run gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from omero_sandbox.demo.synthetic import make_field
from openhcs_client import PipelineDocument
from openhcs_execution.engine import EngineJob, EngineProcess, EngineResult
from openhcs_execution.engine.memory import Recall, StepMemory, StoppedError
from openhcs_execution.engine.tables import FieldMeasurements

from .conftest import built_in

MakeJob = Callable[..., EngineJob]


class Counted:
    """A step function that counts its calls, and what a memory makes of it."""

    def __init__(self, work: Callable[..., Any], most_bytes: int = 10_000_000) -> None:
        self.calls = 0
        self.memory = StepMemory(most_bytes)
        self.recall = Recall()

        def function(*arguments: Any, **values: Any) -> Any:
            self.calls += 1
            return work(*arguments, **values)

        self.function = function

    def __call__(self, *arguments: Any, **values: Any) -> Any:
        with self.memory.during(self.recall, "run"):
            return self.memory.call(self.function, arguments, values)


def image(seed: int = 0, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 99, (2, 8, 8)).astype(dtype)


def test_the_same_question_is_answered_from_memory() -> None:
    smooth = Counted(lambda pixels, sigma: pixels * sigma)
    first = smooth(image(), sigma=2)
    np.testing.assert_array_equal(smooth(image(), sigma=2), first)
    assert smooth.calls == 1
    assert (smooth.recall.answered[0], smooth.recall.computed[0], smooth.recall.reused_steps) == (1, 1, 0)


@pytest.mark.parametrize(
    "other",
    [
        lambda step: step(image(1), sigma=2),
        lambda step: step(image(), sigma=3),
        lambda step: step(image(), sigma=2.0),
        lambda step: step(image(), sigma=True),
        lambda step: step(image(), sigma="2"),
        lambda step: step(image(), sigma=(2,)),
        lambda step: step(image(), sigma=2, more=None),
        lambda step: step(image(dtype="int16"), sigma=2),
        lambda step: step(image().reshape(8, 2, 8), sigma=2),
        lambda step: step(image(), 2),
        lambda step: step(image(), labels=image(), sigma=2),
    ],
)
def test_any_difference_is_another_question(other: Callable[[Counted], object]) -> None:
    step = Counted(lambda pixels, *_, **__: pixels + 1)
    step(image(), sigma=2)
    other(step)
    assert step.calls == 2


def test_another_function_is_another_question() -> None:
    memory, recall = StepMemory(10_000), Recall()

    def one(pixels: np.ndarray) -> np.ndarray:
        return pixels + 1

    def other(pixels: np.ndarray) -> np.ndarray:
        return pixels + 2

    with memory.during(recall, "run"):
        assert not np.array_equal(memory.call(one, [image()], {}), memory.call(other, [image()], {}))


def test_nobody_can_change_what_is_remembered() -> None:
    step = Counted(lambda pixels: (pixels, pixels + 1, FieldMeasurements("nuclei", {"label": np.arange(3)})))
    for _ in range(3):
        passed_on, made, measured = step(image())
        np.testing.assert_array_equal(passed_on, image())
        np.testing.assert_array_equal(made, image() + 1)
        np.testing.assert_array_equal(measured.objects["label"], np.arange(3))
        passed_on[:], made[:] = 7, 7
        measured.objects["label"][:] = 7
    assert step.calls == 1


def test_an_unchanged_image_takes_no_memory() -> None:
    measure = Counted(lambda pixels: (pixels, 1))
    measure(image())
    assert 0 < measure.memory.bytes < image().nbytes * 4


def test_what_was_not_used_for_longest_is_given_up_first() -> None:
    step = Counted(lambda pixels, n: pixels + n, most_bytes=3 * (image().nbytes + 200))
    for number in (1, 2, 3, 1, 4):
        step(image(), n=number)
    assert step.calls == 4
    assert step.memory.bytes <= step.memory.most_bytes
    step(image(), n=1)
    assert step.calls == 4
    step(image(), n=2)
    assert step.calls == 5


def test_without_room_nothing_is_kept() -> None:
    for most in (0, 100):
        step = Counted(lambda pixels: pixels + 1, most_bytes=most)
        step(image())
        step(image())
        assert (step.calls, len(step.memory)) == (2, 0)


def test_values_that_may_hide_something_are_never_remembered() -> None:
    step = Counted(lambda pixels, thing: pixels + 1)
    for _ in range(2):
        step(image(), thing=object())
    assert (step.calls, len(step.memory)) == (2, 0)


def test_outside_of_a_test_nothing_is_remembered() -> None:
    step = Counted(lambda pixels: pixels + 1)
    step(image())
    step.memory.call(step.function, [image()], {})
    assert step.calls == 2


def test_an_error_is_not_remembered() -> None:
    def fail(pixels: np.ndarray) -> np.ndarray:
        raise ValueError("no")

    step = Counted(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            step(image())
    assert step.calls == 2


def test_a_run_is_stopped_between_two_calls_and_only_that_run() -> None:
    step = Counted(lambda pixels: pixels + 1)
    step(image())
    step.memory.stop("another run")
    step(image())
    step.memory.stop("run")
    with pytest.raises(StoppedError):
        step(image(1))
    assert step.calls == 1


def test_it_is_forgotten_when_nobody_asks_for_long() -> None:
    step = Counted(lambda pixels: pixels + 1)
    step(image())
    step.memory.clear_when_unused(3600)
    assert len(step.memory) == 1
    step.memory.clear_when_unused(0)
    assert (len(step.memory), step.memory.bytes) == (0, 0)


# ---------------------------------------------------------------- in the engine


@pytest.fixture(scope="module")
def remembering_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path_factory.mktemp("home"), step_memory_mb=256) as running:
        yield running


def run(engine: EngineProcess, job: EngineJob, *, remember: bool = True) -> EngineResult:
    result = engine.run(job.model_copy(update={"remember": remember}), lambda progress: None)
    assert result.failure is None, result.failure
    return result


def planes(well: str) -> dict[tuple[int, int, int], np.ndarray]:
    return {(field, channel, 1): make_field(well, field).image[channel - 1] for field in (1, 2) for channel in (1, 2)}


def with_value(pipeline: PipelineDocument, step: int, **values: object) -> PipelineDocument:
    changed = pipeline.model_copy(deep=True)
    changed.steps[step].parameters |= values
    return changed


def assert_same(one: EngineResult, other: EngineResult) -> None:
    """Bit for bit the same tables, label images and values."""
    assert one.well_measurements == other.well_measurements
    for ours, theirs in ((one.fields_table, other.fields_table), (one.objects_table, other.objects_table)):
        assert ours is not None and theirs is not None
        pd.testing.assert_frame_equal(pd.read_parquet(ours), pd.read_parquet(theirs), check_exact=True)
    assert [(label.field, label.name) for label in one.labels] == [(label.field, label.name) for label in other.labels]
    for first, second in zip(one.labels, other.labels, strict=True):
        np.testing.assert_array_equal(np.load(first.path), np.load(second.path))


@pytest.mark.engine
def test_only_the_changed_step_and_later_ones_are_computed_and_nothing_else_differs(
    remembering_engine: EngineProcess, engine: EngineProcess, make_job: MakeJob
) -> None:
    """Illumination, nuclei, field intensity, nuclei intensity; the other engine has no memory."""
    pipeline = built_in("illumination-intensity")
    steps = sum(step.enabled for step in pipeline.steps) - 1  # a single focal plane needs no projection
    names = [step.function.rpartition(":")[2] for step in pipeline.steps]
    segment, last = names.index("segment_nuclei"), len(names) - 1
    cases = [
        (pipeline, 0),
        (pipeline, steps),
        (with_value(pipeline, last, subtract_background=False), steps - 1),
        (with_value(pipeline, segment, diameter=24.0), None),
        (with_value(pipeline, names.index("correct_illumination"), quantile=0.5), None),
        (pipeline, steps),
    ]
    results = []
    for document, reused in cases:
        job = make_job(document, planes("B07"), channels=("DAPI", "GFP"))
        result = run(remembering_engine, job)
        results.append(result)
        if reused is not None:
            assert result.reused_steps == reused
        fresh = make_job(document, planes("B07"), channels=("DAPI", "GFP"))
        assert_same(result, run(engine, fresh, remember=False))
    illumination = results[4]
    assert illumination.reused_steps == 0  # the first step changed, and with it the image of every other
    assert results[3].well_measurements != results[0].well_measurements


@pytest.mark.engine
def test_nothing_passes_from_one_well_to_another(
    remembering_engine: EngineProcess, engine: EngineProcess, make_job: MakeJob
) -> None:
    """The same pipeline on wells of the same name from two plates, and on a well of which one pixel differs."""
    pipeline = built_in("nuclei-count")
    run(remembering_engine, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP")))
    for other in (planes("C04"), planes("B07")):
        first = next(iter(other))
        other[first] = other[first].copy()
        other[first][0, 0] += 1
        result = run(remembering_engine, make_job(pipeline, other, channels=("DAPI", "GFP")))
        fresh = run(engine, make_job(pipeline, other, channels=("DAPI", "GFP")), remember=False)
        assert_same(result, fresh)


@pytest.mark.engine
def test_a_step_that_starts_from_the_images_is_reused_whatever_is_before_it(
    remembering_engine: EngineProcess, engine: EngineProcess, make_job: MakeJob
) -> None:
    pipeline = built_in("illumination-intensity")
    names = [step.function.rpartition(":")[2] for step in pipeline.steps]
    pipeline.steps[names.index("segment_nuclei")].input = "start"
    run(remembering_engine, make_job(pipeline, planes("B04"), channels=("DAPI", "GFP")))
    changed = with_value(pipeline, names.index("correct_illumination"), quantile=0.6)
    result = run(remembering_engine, make_job(changed, planes("B04"), channels=("DAPI", "GFP")))
    assert result.reused_steps >= 1
    assert_same(result, run(engine, make_job(changed, planes("B04"), channels=("DAPI", "GFP")), remember=False))


@pytest.mark.engine
def test_a_killed_engine_loses_its_memory_and_nothing_else(engine_home: Path, make_job: MakeJob) -> None:
    pipeline = built_in("nuclei-count")
    with EngineProcess(engine_home, step_memory_mb=64) as own:
        before = run(own, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP")))
        own.kill()
        after = run(own, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP")))
        assert after.reused_steps == 0
        assert_same(before, after)


@pytest.mark.engine
def test_runs_of_a_plate_neither_read_nor_fill_the_memory(engine_home: Path, make_job: MakeJob) -> None:
    pipeline = built_in("nuclei-count")
    with EngineProcess(engine_home, step_memory_mb=64) as own:
        run(own, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP")), remember=False)
        assert run(own, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP"))).reused_steps == 0
        assert run(own, make_job(pipeline, planes("B07"), channels=("DAPI", "GFP")), remember=False).reused_steps == 0
        # Asked to stop, a test ends by itself and the engine stays; an older request means nobody.
        job = make_job(pipeline, planes("C04"), channels=("DAPI", "GFP")).model_copy(update={"remember": True})
        stopped = own.run(job, lambda progress: own.stop(job.execution_id))
        assert stopped.failure is not None and "Nobody waits" in stopped.failure.message
        again = make_job(pipeline, planes("C04"), channels=("DAPI", "GFP")).model_copy(update={"execution_id": "next"})
        assert run(own, again).failure is None
