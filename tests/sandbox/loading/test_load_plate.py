# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command load-plate against a running sandbox."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from omero.gateway import BlitzGateway
from typer.testing import CliRunner

from omero_sandbox.cli import app
from omero_sandbox.loading.plate_folder import FolderError, scan_folder
from omero_sandbox.loading.upload import PlateOptions, upload_plate
from omero_sandbox.testing import RunningSandbox
from openhcs_client import well_name

from ..people import People

pytestmark = pytest.mark.stack


@pytest.fixture
def owner(people: People) -> BlitzGateway:
    return people.connect("owner", "read-annotate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two wells, two fields, two channels; every plane has its own value."""
    for row, well in enumerate(("A02", "B03")):
        for field in (1, 2):
            for channel in (1, 2):
                value = row * 100 + field * 10 + channel
                tifffile.imwrite(tmp_path / f"run_{well}_s{field}_w{channel}.tif", np.full((5, 7), value, np.uint16))
    return tmp_path


def load(sandbox: RunningSandbox, people: People, folder: Path, *options: str) -> Any:
    command = ["load-plate", str(folder), "--port", str(sandbox.port), "--user", people.name("owner"), *options]
    return CliRunner().invoke(app, command, env={"OMERO_PASSWORD": people.password("owner")})


def test_a_folder_becomes_a_plate(omero_sandbox: RunningSandbox, people: People, owner: BlitzGateway, folder: Path) -> None:
    screen = f"screen-{secrets.token_hex(4)}"
    group = f"read-annotate-{people.tag}"
    options = ("--group", group, "--screen", screen, "--channel-names", "DAPI, GFP", "--pixel-size", "0.5")
    for name in ("first", "second"):
        done = load(omero_sandbox, people, folder, *options, "--plate-name", name)
        assert done.exit_code == 0, done.output
        assert "2 wells, 4 images of 7 x 5 pixels (uint16)" in done.output
    (found,) = owner.getObjects("Screen", attributes={"name": screen})  # the second plate went into the same screen
    plates = {plate.getName(): plate for plate in found.listChildren()}
    assert set(plates) == {"first", "second"}
    plate = plates["first"]
    assert (plate.rows, plate.columns) == (2, 3)
    assert plate.getDetails().group.id.val == people.groups["read-annotate"]
    wells = {well_name(well.row, well.column): well for well in plate.listChildren()}
    assert set(wells) == {"A02", "B03"}
    image = wells["B03"].getImage(1)
    assert [image.getPrimaryPixels().getPlane(0, channel, 0)[0, 0] for channel in (0, 1)] == [121, 122]
    assert [channel.getLabel() for channel in image.getChannels()] == ["DAPI", "GFP"]
    assert image.getPixelSizeX() == 0.5
    assert wells["A02"].getWellSample(0).getPlateAcquisition().getName() == folder.name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pattern", "z{well}.tif"), "fits the pattern"),
        (("--rows", "1"), "lies outside a plate"),
        (("--channel-names", "DAPI"), "2 channels"),
        (("--user", "nobody"), "could not sign in"),
        (("--group", "no such group"), "could not sign in"),
    ],
)
def test_wrong_options_are_explained_and_leave_nothing(
    omero_sandbox: RunningSandbox, people: People, owner: BlitzGateway, folder: Path, options: tuple[str, ...], words: str
) -> None:
    name = f"wrong-{secrets.token_hex(4)}"
    done = load(omero_sandbox, people, folder, "--plate-name", name, *options)
    assert done.exit_code == 1
    assert words in " ".join(done.output.split())
    owner.SERVICE_OPTS.setOmeroGroup("-1")
    try:
        assert list(owner.getObjects("Plate", attributes={"name": name})) == []
    finally:
        owner.SERVICE_OPTS.setOmeroGroup(people.groups["read-annotate"])


def test_checking_sends_nothing(folder: Path) -> None:
    done = CliRunner().invoke(app, ["load-plate", str(folder), "--check", "--port", "1"])
    assert done.exit_code == 0
    assert "plate of 2 x 3 wells; pattern imagexpress" in done.output


def test_the_password_of_a_demo_user_comes_from_the_data_folder(
    omero_sandbox: RunningSandbox, people: People, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    command = [
        "load-plate",
        str(folder),
        "--port",
        str(omero_sandbox.port),
        "--user",
        people.name("owner"),
        "--data",
        str(data),
    ]
    missing = CliRunner().invoke(app, command, env={"OMERO_PASSWORD": ""})
    assert missing.exit_code == 1
    assert "does not tell the password" in " ".join(missing.output.split())
    users = {"users": {people.name("owner"): {"password": people.password("owner")}}}
    (data / "demo-users.json").write_text(json.dumps(users))
    done = CliRunner().invoke(app, command, env={"OMERO_PASSWORD": ""})
    assert done.exit_code == 0, done.output


def test_a_failure_half_way_leaves_nothing(owner: BlitzGateway, folder: Path) -> None:
    name = f"broken-{secrets.token_hex(4)}"
    plate = scan_folder(folder)
    (folder / "run_B03_s2_w1.tif").write_bytes(b"gone bad after the check")
    images = owner.getQueryService().projection("select count(i.id) from Image i", None, owner.SERVICE_OPTS)[0][0].val
    with pytest.raises(FolderError, match=r"run_B03_s2_w1\.tif cannot be read"):
        upload_plate(owner, plate, PlateOptions(name))
    assert list(owner.getObjects("Plate", attributes={"name": name})) == []
    after = owner.getQueryService().projection("select count(i.id) from Image i", None, owner.SERVICE_OPTS)[0][0].val
    assert after == images


def test_progress_is_told(owner: BlitzGateway, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    upload_plate(owner, scan_folder(folder), PlateOptions("progress"), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_real_screening_row(owner: BlitzGateway, screening_row: Path) -> None:
    plate_id = upload_plate(owner, scan_folder(screening_row), PlateOptions("Transfluor row O", channel_names=["GFP"]))
    plate = owner.getObject("Plate", plate_id)
    wells = {well_name(well.row, well.column): well for well in plate.listChildren()}
    assert sorted(wells) == [f"O{column:02}" for column in range(1, 25)]
    assert {well.countWellSample() for well in wells.values()} == {3}
    pixels = wells["O07"].getImage(2).getPrimaryPixels()
    expected = tifffile.imread(screening_row / "AS_09047_050428030001_O07f02d2.TIF")
    np.testing.assert_array_equal(pixels.getPlane(), expected)
