# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images of tested wells are kept for a while, found by what they are in OMERO, and never changed by whoever uses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from openhcs_client import PlateLayout
from openhcs_execution.dispatch.kept_images import KeptImages
from openhcs_execution.engine import StagingFolder
from openhcs_execution.engine.staging import IMAGES, METADATA
from tests.execution.queued import plate_layout


class Omero:
    """Stages a well, and counts how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = 0
        self.level = 5

    def ask(self, kept: KeptImages, layout: PlateLayout, well: str = "A01") -> tuple[bool, Path]:
        target = self.folder / f"job-{self.calls}-{len(list(self.folder.iterdir()))}"

        def fetch() -> None:
            self.calls += 1
            staging = StagingFolder(target, well, layout.channels, None)
            staging.add_plane(1, 1, 1, 1, np.full((8, 8), self.level, "uint16"))
            staging.finish()

        return kept.stage(layout, well, target, fetch), target


def level_of(folder: Path) -> int:
    [file] = (folder / IMAGES).iterdir()
    return int(tifffile.imread(file)[0, 0])


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    (tmp_path / "jobs").mkdir()
    return Omero(tmp_path / "jobs")


def make(tmp_path: Path, **more: object) -> KeptImages:
    return KeptImages(tmp_path / "kept", **{"most_bytes": 10_000_000, "seconds": 60.0, **more})  # type: ignore[arg-type]


def test_the_second_time_omero_is_not_asked(omero: Omero, tmp_path: Path) -> None:
    kept = make(tmp_path)
    assert omero.ask(kept, plate_layout(2))[0] is False
    reused, folder = omero.ask(kept, plate_layout(2))
    assert (reused, omero.calls, level_of(folder)) == (True, 1, 5)
    assert (folder / METADATA).read_text() != ""


def changed(layout: PlateLayout, **field: object) -> PlateLayout:
    first = layout.wells[0]
    fields = (first.fields[0].model_copy(update=field),)
    return layout.model_copy(update={"wells": (first.model_copy(update={"fields": fields}), *layout.wells[1:])})


@pytest.mark.parametrize(
    "other",
    [
        changed(plate_layout(1), image_id=77),
        changed(plate_layout(1), change=4),
        plate_layout(1, plate_id=6),
        plate_layout(1, group_id=9),
        plate_layout(1).model_copy(update={"channels": ("Other",)}),
    ],
    ids=["image", "pixels were changed", "plate", "group", "channels"],
)
def test_what_is_another_image_in_omero_is_fetched(omero: Omero, tmp_path: Path, other: PlateLayout) -> None:
    kept = make(tmp_path)
    omero.ask(kept, plate_layout(1))
    omero.level = 6
    reused, folder = omero.ask(kept, other)
    assert (reused, level_of(folder)) == (False, 6)


def test_other_wells_of_the_plate_do_not_matter(omero: Omero, tmp_path: Path) -> None:
    kept = make(tmp_path)
    omero.ask(kept, plate_layout(1))
    assert omero.ask(kept, plate_layout(3))[0] is True
    assert omero.ask(kept, plate_layout(3), "A02")[0] is False


def test_nobody_changes_what_is_kept(omero: Omero, tmp_path: Path) -> None:
    kept = make(tmp_path)
    _, folder = omero.ask(kept, plate_layout(1))
    (folder / METADATA).write_text("{}")  # OpenHCS writes into its input
    [image] = (folder / IMAGES).iterdir()
    image.unlink()
    _, again = omero.ask(kept, plate_layout(1))
    assert level_of(again) == 5
    assert (again / METADATA).read_text() != "{}"


def test_images_are_kept_for_a_while(omero: Omero, tmp_path: Path) -> None:
    now = [0.0]
    kept = make(tmp_path, seconds=60.0, clock=lambda: now[0])
    omero.ask(kept, plate_layout(1))
    now[0] = 59.0
    assert omero.ask(kept, plate_layout(1))[0] is True
    now[0] = 61.0  # counted from when OMERO was asked, not from the last use
    assert omero.ask(kept, plate_layout(1))[0] is False
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_disk_is_bounded(omero: Omero, tmp_path: Path) -> None:
    kept = make(tmp_path, most_bytes=1000)  # a plane of 8 x 8 takes some 400 bytes
    for well in ("A01", "A02", "A03"):
        omero.ask(kept, plate_layout(3), well)
    assert sum(file.stat().st_size for file in (tmp_path / "kept").glob(f"*/{IMAGES}/*")) <= 1000
    assert omero.ask(kept, plate_layout(3), "A03")[0] is True
    assert omero.ask(kept, plate_layout(3), "A01")[0] is False
    assert omero.ask(make(tmp_path / "none", most_bytes=0), plate_layout(1))[0] is False


def test_nothing_is_kept_of_what_could_not_be_read(tmp_path: Path) -> None:
    kept = make(tmp_path)

    def fail() -> None:
        raise OSError("OMERO is gone")

    for _ in range(2):
        with pytest.raises(OSError, match="OMERO is gone"):
            kept.stage(plate_layout(1), "A01", tmp_path / "job", fail)
