# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo as a user finds it: people, plates, the truth beside them; made once."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import omero
import pytest
from omero.gateway import BlitzGateway

from omero_sandbox.demo import cardiomyocytes, install
from omero_sandbox.demo.install import CARDIOMYOCYTE_PLATE, LAYOUT_NAMESPACE, SCREEN, SYNTHETIC_PLATE, TRUTH_FILE, install_demo
from omero_sandbox.demo.people import USERS_FILE
from omero_sandbox.demo.plate_design import all_wells
from omero_sandbox.demo.synthetic import make_field, plate_truth
from omero_sandbox.ice.server import SandboxServer
from omero_sandbox.testing import RunningSandbox, start_sandbox
from openhcs_client import well_name

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    sandbox = start_sandbox(tmp_path_factory.mktemp("demo"), options=("--demo",))
    yield sandbox
    sandbox.stop()


def passwords(folder: Path) -> dict[str, str]:
    users = json.loads((folder / USERS_FILE).read_text())["users"]
    return {name: users[name]["password"] for name in users}


@pytest.fixture(scope="module")
def anna(demo: RunningSandbox) -> Iterator[BlitzGateway]:
    with demo.connection("anna", passwords(demo.folder)["anna"]) as conn:
        yield conn


def plate(conn: BlitzGateway, name: str):  # type: ignore[no-untyped-def]
    (found,) = conn.getObjects("Plate", attributes={"name": name})
    return found


def test_people_sign_in_and_see_what_they_should(demo: RunningSandbox, anna: BlitzGateway) -> None:
    assert (demo.folder / USERS_FILE).stat().st_mode & 0o077 == 0
    words = passwords(demo.folder)
    assert len(set(words.values())) == 3
    assert [screen.getName() for screen in anna.getObjects("Screen")] == [SCREEN]
    with demo.connection("ben", words["ben"]) as ben:
        assert ben.getGroupFromContext().getDetails().permissions.isGroupAnnotate()
        assert {each.getName() for each in ben.getObjects("Plate")} == {SYNTHETIC_PLATE, CARDIOMYOCYTE_PLATE}
        assert not plate(ben, SYNTHETIC_PLATE).canEdit()
        assert plate(ben, SYNTHETIC_PLATE).canAnnotate()
    with demo.connection("clara", words["clara"]) as clara:
        assert str(clara.getGroupFromContext().getDetails().permissions) == "rw----"
        clara.SERVICE_OPTS.setOmeroGroup("-1")
        assert list(clara.getObjects("Plate")) == []
        assert list(clara.getObjects("Image")) == []


def test_the_synthetic_plate(anna: BlitzGateway) -> None:
    found = plate(anna, SYNTHETIC_PLATE)
    assert found.getGridSize() == {"rows": 8, "columns": 12}
    wells = {well_name(well.row, well.column): well for well in found.listChildren()}
    assert len(wells) == 96
    assert {well.countWellSample() for well in wells.values()} == {2}
    image = wells["C09"].getImage(1)
    np.testing.assert_array_equal(image.getPrimaryPixels().getPlane(0, 1, 0), make_field("C09", 2).image[1])
    assert [channel.getLabel() for channel in image.getChannels()] == ["DAPI", "GFP"]
    assert [channel.getColor().getHtml() for channel in image.getChannels()] == ["0000FF", "00FF00"]
    assert image.getPixelSizeX() == pytest.approx(0.65)
    assert image.getPixelsType() == "uint16"
    notes = {name: dict(well.getAnnotation(LAYOUT_NAMESPACE).getValue()) for name, well in wells.items()}
    assert notes["A01"] == {"Role": "negative control", "Compound": "DMSO"}
    assert notes["H12"]["Role"] == "positive control"
    assert notes["C11"] == {"Role": "sample", "Compound": "Compound C", "Concentration (µM)": "30"}


def test_the_truth_is_attached(anna: BlitzGateway) -> None:
    files = [each.getFile() for each in plate(anna, SYNTHETIC_PLATE).listAnnotations() if hasattr(each, "getFile")]
    (file,) = (each for each in files if each.getName() == TRUTH_FILE)
    rows = list(csv.DictReader(b"".join(file.getFileInChunks()).decode().splitlines()))
    truth = plate_truth()
    assert {row["well"]: int(row["nuclei"]) for row in rows} == {name: well.count for name, well in truth.wells.items()}
    assert {row["well"]: row["role"] for row in rows} == {name: well.plan.role for name, well in truth.wells.items()}
    for row in rows:
        assert float(row["mean_gfp"]) == pytest.approx(truth.wells[row["well"]].mean_gfp, abs=0.01)


def test_the_cardiomyocyte_plate(anna: BlitzGateway) -> None:
    (well,) = plate(anna, CARDIOMYOCYTE_PLATE).listChildren()
    assert well_name(well.row, well.column) == cardiomyocytes.WELL
    assert well.countWellSample() == 4
    for number in range(4):
        pixels = well.getImage(number).getPrimaryPixels()
        np.testing.assert_array_equal(
            np.stack([pixels.getPlane(0, channel, 0) for channel in (0, 1)]), cardiomyocytes.make_field(number + 1)
        )


@pytest.fixture
def few_wells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three wells are enough where it is not about the plate."""
    monkeypatch.setattr(install, "all_wells", lambda: list(all_wells())[:3])


@pytest.mark.usefixtures("few_wells")
def test_a_second_start_changes_nothing_and_brings_nothing_back(tmp_path: Path) -> None:
    server = SandboxServer(tmp_path)
    try:
        install_demo(server, {"anna": "chosen"})
        words = passwords(tmp_path)
        assert words["anna"] == "chosen"
        server.database.execute("UPDATE e_Plate SET c_name = 'renamed' WHERE c_name = ?", CARDIOMYOCYTE_PLATE)
        counts = [server.database.value(f"SELECT count(*) FROM e_{name}") for name in ("Plate", "Image", "Experimenter")]
        install_demo(server)
        assert counts == [server.database.value(f"SELECT count(*) FROM e_{n}") for n in ("Plate", "Image", "Experimenter")]
        assert passwords(tmp_path) == words
        # A lost file is written anew, with passwords that work.
        (tmp_path / USERS_FILE).unlink()
        install_demo(server)
        again = passwords(tmp_path)
        assert again["ben"] != words["ben"]
        assert server.accounts.check_password("ben", again["ben"]) is not None
        assert server.accounts.check_password("ben", words["ben"]) is None
    finally:
        server.stop()


@pytest.mark.usefixtures("few_wells")
def test_an_interrupted_installation_leaves_nothing(tmp_path: Path) -> None:
    def fail(field: int) -> np.ndarray:
        raise OSError("disk full")

    server = SandboxServer(tmp_path)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cardiomyocytes, "make_field", fail)
            with pytest.raises(OSError, match="disk full"):
                install_demo(server)
        assert server.database.value("SELECT count(*) FROM e_Plate") == 0
        assert server.sessions.of_user(server.accounts.user_id("anna")) == []
    finally:
        server.stop()
    again = SandboxServer(tmp_path)
    try:
        assert not list((tmp_path / "Pixels").iterdir())  # swept at the start
        install_demo(again)
        assert again.database.value("SELECT count(*) FROM e_Plate") == 2
    finally:
        again.stop()


def test_guessing_a_password_fails(demo: RunningSandbox) -> None:
    with pytest.raises((ConnectionError, omero.ServerError)):
        demo.connect("anna", "anna")
