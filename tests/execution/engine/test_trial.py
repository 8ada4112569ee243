# SPDX-License-Identifier: AGPL-3.0-or-later
"""OpenHCS is asked about a pipeline with tiny made-up wells, and its answer comes within a second or so."""

from __future__ import annotations

import time

import pytest

from openhcs_client import PipelineDocument
from openhcs_execution.engine import EngineProcess, TrialKind, TrialResult

from .conftest import PIPELINES, built_in, document, step

pytestmark = pytest.mark.engine

PLAIN = TrialKind(fields=1, focal_planes=1, pixel_type="uint16")
DEEP = TrialKind(fields=2, focal_planes=2, pixel_type="uint16")


def tried(engine: EngineProcess, pipeline: PipelineDocument, *kinds: TrialKind, limit: float = 60) -> TrialResult:
    return engine.try_document(pipeline, ["DAPI", "GFP"], kinds, time_limit=limit)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_built_in_pipelines_pass_for_every_kind_of_well_and_pixel(engine: EngineProcess, pipeline: str) -> None:
    kinds = [DEEP, *(PLAIN.model_copy(update={"pixel_type": name}) for name in ("uint8", "int8", "int32", "float", "double"))]
    assert tried(engine, built_in(pipeline), *kinds) == TrialResult()


def test_what_openhcs_cannot_compile_is_an_error(engine: EngineProcess) -> None:
    """The parameter passes no check of ours here: the engine is asked directly."""
    result = tried(engine, document(step("omero_openhcs:segment_nuclei"), step("openhcs:gaussian_blur", width=3.0)), PLAIN)
    assert result.error is not None
    assert "OpenHCS does not take this pipeline" in result.error
    assert "width" in result.error


def test_labels_that_nobody_made_are_an_error(engine: EngineProcess) -> None:
    result = tried(engine, document(step("omero_openhcs:measure_nuclei_intensity")), PLAIN)
    assert result.error is not None


def test_a_trial_that_takes_too_long_is_a_warning_and_the_engine_comes_back(engine_home) -> None:
    with EngineProcess(engine_home) as own:
        result = tried(own, built_in("colocalisation"), DEEP, limit=0.01)
        assert result.error is None
        assert "more than 0.01 seconds" in result.warnings[0]
        assert tried(own, built_in("nuclei-count"), PLAIN) == TrialResult()


def test_it_is_quick(engine: EngineProcess) -> None:
    tried(engine, built_in("nuclei-count"), PLAIN)
    started = time.monotonic()
    tried(engine, built_in("nuclei-count"), PLAIN)
    assert time.monotonic() - started < 5  # a machine of one's own takes a third of a second; test machines are shared


@pytest.mark.parametrize(
    ("fails_for", "is_error"),
    [({"int8"}, True), ({"int8", "uint16"}, False)],
    ids=["only for this type of pixels", "for any, so perhaps for the made-up image"],
)
def test_a_type_of_pixels_is_refused_only_when_it_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, fails_for: set[str], is_error: bool
) -> None:
    from openhcs_execution.engine import trial

    def run(_document: object, _channels: object, kind: TrialKind, _folder: object) -> Exception | None:
        return TypeError("no such pixels") if kind.pixel_type in fails_for else None

    monkeypatch.setattr(trial, "_run", run)
    monkeypatch.setattr(trial, "_compile", lambda *_: None)
    kind = PLAIN.model_copy(update={"pixel_type": "int8"})
    result = trial.try_document(built_in("nuclei-count"), ["DAPI"], [kind])
    if is_error:
        assert result.error is not None and "int8" in result.error and "no such pixels" in result.error
    else:
        assert result.error is None and "no such pixels" in result.warnings[0]
