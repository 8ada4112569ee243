# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker's reader, with and without OMERO's folder in sight: the staged plate of a well is the same."""

from __future__ import annotations

from pathlib import Path

from omero.gateway import BlitzGateway
from pydantic import SecretStr
from structlog.testing import capture_logs

from openhcs_client import PlateLayout
from openhcs_execution.dispatch.reading import ImageReader
from openhcs_execution.dispatch.tasks import WorkerSettings
from openhcs_execution.secrets import SessionVault

from .world import Lab, key_of

SECRET = "s" * 64


def stage(lab: Lab, ada: BlitzGateway, plate: PlateLayout, folder: Path, repository: Path | None) -> dict[str, bytes]:
    """Stage the first well into ``folder`` and return its files by name."""
    folder.mkdir()
    reader = ImageReader(
        WorkerSettings(
            scratch=folder,
            results=folder,
            results_mark="mark",
            engine_home=folder,
            session_secret=SecretStr(SECRET),
            omero_host=lab.sandbox.host,
            omero_port=lab.sandbox.port,
            repository=repository,
        )
    )
    try:
        sealed = SessionVault(SECRET).seal(key_of(ada))
        reader.stage(sealed, plate, plate.wells[0].well, folder / "planes")
    finally:
        reader.close()
    return {path.name: path.read_bytes() for path in (folder / "planes").rglob("*") if path.is_file()}


def test_the_staged_well_is_the_same(lab: Lab, ada: BlitzGateway, plate: PlateLayout, tmp_path: Path) -> None:
    through_omero = stage(lab, ada, plate, tmp_path / "omero", None)
    with capture_logs() as logs:
        from_files = stage(lab, ada, plate, tmp_path / "files", lab.sandbox.folder)
    assert from_files == through_omero
    (said,) = (entry for entry in logs if entry["event"] == "planes_read")
    assert (said["files"], said["omero"], said["reasons"], said["log_level"]) == (4, 0, {}, "debug")


def test_a_worker_that_does_not_see_the_folder_says_so_and_asks_omero(
    lab: Lab, ada: BlitzGateway, plate: PlateLayout, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        staged = stage(lab, ada, plate, tmp_path / "files", tmp_path / "not mounted")
    assert len(staged) == 6  # four planes, the metadata and the hashes
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("repository_not_seen", "warning")]


def test_what_is_read_through_omero_all_the_same_is_told(
    lab: Lab, ada: BlitzGateway, plate: PlateLayout, tmp_path: Path
) -> None:
    (tmp_path / "empty" / "Pixels").mkdir(parents=True)
    with capture_logs() as logs:
        staged = stage(lab, ada, plate, tmp_path / "files", tmp_path / "empty")
    assert len(staged) == 6  # four planes, the metadata and the hashes
    (said,) = (entry for entry in logs if entry["event"] == "planes_read")
    assert (said["files"], said["omero"], said["log_level"]) == (0, 4, "warning")
    assert said["reasons"] == {"its file is not in the repository": 2}
