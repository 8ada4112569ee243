# SPDX-License-Identifier: AGPL-3.0-or-later
"""A warm engine, staged wells with known content, and the built-in pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from openhcs_client import PipelineDocument, PipelineStep
from openhcs_execution.engine import EngineJob, EngineProcess, StagingFolder

PIPELINES = ("nuclei-count", "spot-count", "illumination-intensity", "colocalisation")

Planes = Mapping[tuple[int, int, int], np.ndarray]
"""Pixels by field, channel and focal plane, each counted from 1."""


def built_in(pipeline: str) -> PipelineDocument:
    """Version 1 of a built-in pipeline."""
    path = resources.files("openhcs_execution.pipelines") / pipeline / "1.json"
    return PipelineDocument.model_validate_json(path.read_text(encoding="utf-8"))


def document(*steps: PipelineStep) -> PipelineDocument:
    """A pipeline of ``steps``."""
    return PipelineDocument(id="under-test", name="Under test", steps=list(steps))


def step(function: str, **parameters: object) -> PipelineStep:
    """A step named after its function."""
    return PipelineStep(name=function.rpartition(":")[2], function=function, parameters=parameters)


def discs(shape: tuple[int, int], centres: list[tuple[float, float]], radius: float, level: float) -> np.ndarray:
    """Soft-edged discs of grey value ``level`` on nothing, as float64 (y, x)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for centre_y, centre_x in centres:
        distance = np.hypot(y - centre_y, x - centre_x)
        image = np.maximum(image, level * np.clip(radius + 0.5 - distance, 0, 1))
    return image


def noisy(signal: np.ndarray, background: float = 200.0, seed: int = 0) -> np.ndarray:
    """``signal`` on a background as a camera sees it: photon noise, uint16."""
    return np.random.default_rng(seed).poisson(signal + background).astype(np.uint16)


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine-home")


@pytest.fixture(scope="session")
def engine(engine_home: Path) -> Iterator[EngineProcess]:
    """One warm engine for all tests that do not kill it."""
    with EngineProcess(engine_home) as running:
        yield running


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., EngineJob]:
    """Stage planes and describe the job that computes them."""

    def make(
        pipeline: PipelineDocument, planes: Planes, *, well: str = "A01", channels: tuple[str, ...] = ("DAPI",)
    ) -> EngineJob:
        folder = tmp_path / f"job-{len(list(tmp_path.iterdir()))}"
        staging = StagingFolder(folder / "planes", well, channels, 0.65)
        for (field, channel, z), pixels in planes.items():
            staging.add_plane(field, channel, z, 1, pixels)
        staging.finish()
        return EngineJob(
            execution_id="test",
            well=well,
            document=pipeline,
            channels=list(channels),
            fields=sorted({field for field, _, _ in planes}),
            planes=staging.root,
            output=folder / "output",
            scratch=tmp_path / "openhcs",  # one for all, as a worker has
        )

    return make
