# SPDX-License-Identifier: AGPL-3.0-or-later
"""The yardstick must compute the same thing, or comparing times means nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from openhcs_execution.engine import EngineJob, EngineProcess
from openhcs_execution.engine.bare import run_bare
from openhcs_execution.engine.staging import IMAGES, StagedPlane, write_index

from .conftest import built_in, discs, noisy

pytestmark = pytest.mark.engine


def test_bare_openhcs_measures_the_same(
    engine: EngineProcess, engine_home: Path, make_job: Callable[..., EngineJob], tmp_path: Path
) -> None:
    wells = {
        "A01": [(30.0, 30.0), (30.0, 47.0)],
        "B02": [(60.0, 60.0)],
        "AF48": [(20.0, 20.0), (60.0, 60.0), (40.0, 80.0)],
    }
    images = {
        well: noisy(discs((96, 110), centres, 8, 1500), seed=number) for number, (well, centres) in enumerate(wells.items())
    }
    plate = tmp_path / "plate"
    (plate / IMAGES).mkdir(parents=True)
    planes = [StagedPlane(well, 1, 1, 1, 1) for well in wells]
    for plane in planes:
        tifffile.imwrite(plate / IMAGES / plane.file_name, images[plane.well])
    write_index(plate, planes, ["DAPI"], None)
    pipeline = built_in("nuclei-count")
    done = run_bare(plate, pipeline, ["DAPI"], processes=2, output=tmp_path / "out", home=engine_home)
    assert done.wells == 3
    assert 0 < done.startup_seconds < done.seconds
    for well, pixels in images.items():
        result = engine.run(make_job(pipeline, {(1, 1, 1): pixels}, well=well), lambda progress: None)
        assert result.objects_table is not None
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "out" / well / "objects.parquet"), pd.read_parquet(result.objects_table)
        )
        np.testing.assert_array_equal(np.load(tmp_path / "out" / well / "field-001-nuclei.npy"), np.load(result.labels[0].path))


def test_a_failing_bare_run_is_not_a_time(engine_home: Path, tmp_path: Path) -> None:
    plate = tmp_path / "plate"
    (plate / IMAGES).mkdir(parents=True)
    plane = StagedPlane("A01", 1, 1, 1, 1)
    (plate / IMAGES / plane.file_name).write_bytes(b"no image")
    write_index(plate, [plane], ["DAPI"], None)
    with pytest.raises(RuntimeError, match="bare OpenHCS failed"):
        run_bare(plate, built_in("nuclei-count"), ["DAPI"], processes=1, output=tmp_path / "out", home=engine_home)
