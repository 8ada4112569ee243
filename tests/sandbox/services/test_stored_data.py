# SPDX-License-Identifier: AGPL-3.0-or-later
"""The data folder as OMERO.server has it, also one that an earlier sandbox made."""

from __future__ import annotations

from pathlib import Path

import pytest

from omero_sandbox.pixels.buffers import pixel_path
from omero_sandbox.services.stored_data import adopt_old_pixels, make_managed_repository
from omero_sandbox.store.database import Database


@pytest.mark.parametrize(("number", "path"), [(7, "7"), (1000, "Dir-001/1000"), (1234567, "Dir-001/Dir-234/1234567")])
def test_pixels_lie_where_omero_has_them(tmp_path: Path, number: int, path: str) -> None:
    assert pixel_path(tmp_path, number) == tmp_path / "Pixels" / path


def test_pixels_of_an_earlier_sandbox_are_moved(tmp_path: Path) -> None:
    for number in (7, 1234):
        old = tmp_path / "pixels" / f"{number // 1000:03d}" / str(number)
        old.parent.mkdir(parents=True)
        old.write_bytes(b"pixels %d" % number)
    database = Database(tmp_path)
    adopt_old_pixels(database)
    adopt_old_pixels(database)  # nothing is left to do
    database.close()
    assert pixel_path(tmp_path, 7).read_bytes() == b"pixels 7"
    assert pixel_path(tmp_path, 1234).read_bytes() == b"pixels 1234"
    assert not (tmp_path / "pixels").exists()


def test_the_managed_repository_keeps_its_id(tmp_path: Path) -> None:
    database = Database(tmp_path)
    name = make_managed_repository(database)
    assert make_managed_repository(database) == name
    assert [file.read_text() for file in tmp_path.glob("ManagedRepository/.omero/repository/*/repo_uuid")] == [name]
    database.close()
