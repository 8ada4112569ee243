# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from openhcs_client import OpenHCSError
from openhcs_execution.engine.staging import METADATA, StagedPlane, StagingFolder, read_staged_planes

PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def test_planes_are_staged_as_they_are(tmp_path: Path) -> None:
    staging = StagingFolder(tmp_path / "planes", "AF48", ["DAPI", "GFP"], 0.65)
    path = staging.add_plane(field=3, channel=2, z=1, t=1, pixels=PIXELS)
    staging.finish()
    stored = tifffile.imread(path)
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored, PIXELS)
    assert read_staged_planes(staging.root) == [StagedPlane("AF48", field=3, channel=2, z=1, t=1)]


def test_index_names_the_parser_that_knows_every_well(tmp_path: Path) -> None:
    staging = StagingFolder(tmp_path / "planes", "AF48", ["DAPI"], None)
    staging.add_plane(1, 1, 1, 1, PIXELS)
    staging.finish()
    index = json.loads((staging.root / METADATA).read_text())["subdirectories"]["images"]
    assert index["source_filename_parser_name"] == "OMEROFilenameParser"
    assert index["wells"] == {"AF48": None}
    assert index["channels"] == {"1": "DAPI"}


@pytest.mark.parametrize("well", ["../A01", "a01", "A1", "", "A01/..", "AAA01"])
def test_only_well_names_become_file_names(tmp_path: Path, well: str) -> None:
    with pytest.raises(OpenHCSError, match="not the name of a well"):
        StagingFolder(tmp_path / "planes", well, ["DAPI"], None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("field", "channel", "z"), [(0, 1, 1), (1, 2, 1), (1, 0, 1), (1, 1, 0)])
def test_positions_count_from_one_and_channels_exist(tmp_path: Path, field: int, channel: int, z: int) -> None:
    staging = StagingFolder(tmp_path / "planes", "A01", ["DAPI"], None)
    with pytest.raises(OpenHCSError) as caught:
        staging.add_plane(field, channel, z, 1, PIXELS)
    assert caught.value.code == "bad_plane"


def test_planes_have_two_dimensions(tmp_path: Path) -> None:
    staging = StagingFolder(tmp_path / "planes", "A01", ["DAPI"], None)
    with pytest.raises(OpenHCSError, match="two dimensions"):
        staging.add_plane(1, 1, 1, 1, PIXELS[None])


def test_a_well_without_planes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenHCSError) as caught:
        StagingFolder(tmp_path / "planes", "A01", ["DAPI"], None).finish()
    assert caught.value.code == "no_planes"


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    staging = StagingFolder(tmp_path / "planes", "A01", ["DAPI"], None)
    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(OpenHCSError) as caught:
        staging.add_plane(1, 1, 1, 1, PIXELS)
    assert (caught.value.code, caught.value.status) == ("disk_full", 507)


def test_other_disk_errors_are_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    staging = StagingFolder(tmp_path / "planes", "A01", ["DAPI"], None)
    monkeypatch.setattr(tifffile, "imwrite", broken)
    with pytest.raises(OSError, match="Input/output"):
        staging.add_plane(1, 1, 1, 1, PIXELS)


def test_a_folder_without_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenHCSError) as caught:
        read_staged_planes(tmp_path)
    assert caught.value.code == "bad_staging"
