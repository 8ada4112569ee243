# SPDX-License-Identifier: AGPL-3.0-or-later
"""Paths in OMERO's binary repository: where things lie, and that nothing else can be reached."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openhcs_execution.omero_io.repository import Repository, Unreadable
from openhcs_execution.omero_io.repository.paths import managed_file, open_below, pixels_file, repository_ids, resolve_below


@pytest.mark.parametrize(
    ("pixels_id", "path"),
    [
        (1, "Pixels/1"),
        (999, "Pixels/999"),
        (1000, "Pixels/Dir-001/1000"),
        (123456, "Pixels/Dir-123/123456"),
        (999999, "Pixels/Dir-999/999999"),
        (1000000, "Pixels/Dir-001/Dir-000/1000000"),
        (1234567, "Pixels/Dir-001/Dir-234/1234567"),
    ],
)
def test_pixel_files_are_where_omero_has_them(pixels_id: int, path: str) -> None:
    assert str(pixels_file(pixels_id)) == path


def test_imported_files_are_found_by_path_and_name() -> None:
    assert str(managed_file("ada_2/2026-11/25/12-00-00.000/", "a b.tif")) == "ada_2/2026-11/25/12-00-00.000/a b.tif"
    assert str(managed_file("/ada_2/", "a.tif")) == "ada_2/a.tif"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("../Pixels/", "5"),
        ("ada_2/../../", "secret"),
        ("ada_2/../eve_3/", "secret.tif"),
        ("ada_2/", "../secret.tif"),
        ("ada_2/", "/etc/passwd"),
        ("ada_2/", ".."),
        ("ada_2/", ""),
        ("ada_2/", "a\0.tif"),
        (".omero/repository/", "repo_uuid"),
    ],
)
def test_no_path_leads_elsewhere(path: str, name: str) -> None:
    with pytest.raises(Unreadable):
        managed_file(path, name)


def test_an_absolute_path_is_one_below_the_repository(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="not in the repository"):
        open_below(tmp_path, managed_file("//etc/", "passwd"))


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.tif").write_bytes(b"secret")
    (inside / "file.tif").symlink_to(outside / "secret.tif")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside / "loop")
    (inside / "real.tif").write_bytes(b"real")
    (inside / "alias.tif").symlink_to("real.tif")
    for name in ("file.tif", "folder/secret.tif"):
        with pytest.raises(Unreadable, match="outside of the repository"):
            resolve_below(inside, name)
        with pytest.raises(Unreadable, match="outside of the repository"):
            open_below(inside, name)
    with pytest.raises(Unreadable):
        open_below(inside, "loop")
    descriptor = open_below(inside, "alias.tif")
    assert os.read(descriptor, 10) == b"real"
    os.close(descriptor)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening one for reading would wait for a writer
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(Unreadable, match="regular file"):
            open_below(tmp_path, name)


def test_a_folder_that_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="neither"):
        Repository(tmp_path)
    (tmp_path / "Pixels").mkdir()
    Repository(tmp_path)


def test_the_repository_knows_its_id(tmp_path: Path) -> None:
    assert repository_ids(tmp_path) == frozenset()
    place = tmp_path / "ManagedRepository" / ".omero" / "repository" / "database" / "repo_uuid"
    place.parent.mkdir(parents=True)
    place.write_text("7d0a\n")
    assert repository_ids(tmp_path) == {"7d0a"}
