# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pixels from OMERO's files: the same bits as through the API, or the API's bits; never others, and never somebody else's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from omero.gateway import BlitzGateway
from omero.rtypes import rstring

from openhcs_client import OpenHCSError, PlateLayout
from openhcs_execution.omero_io import ReadTally, Repository, read_layout, read_planes
from openhcs_execution.omero_io.repository import planes as sources
from openhcs_execution.omero_io.repository.paths import pixels_file

from .filesets import add_fileset
from .world import FusedGateway, Lab, make_image, make_plate, picture


@pytest.fixture
def repository(lab: Lab) -> Repository:
    return Repository(lab.sandbox.folder)


def layout_of(ada: BlitzGateway, conn: BlitzGateway, *images: int) -> PlateLayout:
    return read_layout(conn, make_plate(ada, {(0, 0): list(images)}))


def both_ways(conn: BlitzGateway, plate: PlateLayout, repository: Repository) -> ReadTally:
    """Compare what both ways give, bit by bit, and return how the second one read."""
    tally = ReadTally()
    through_api = list(read_planes(conn, plate.wells[0]))
    from_files = list(read_planes(conn, plate.wells[0], repository=repository, tally=tally))
    assert len(through_api) == len(from_files) == tally.from_files + tally.from_api
    for one, other in zip(through_api, from_files, strict=True):
        assert (one.field, one.channel, one.z, one.t) == (other.field, other.channel, other.z, other.t)
        assert other.pixels.dtype == one.pixels.dtype
        assert other.pixels.dtype.isnative
        assert other.pixels.flags.writeable
        assert other.pixels.tobytes() == one.pixels.tobytes()
    return tally


def stack(number: int, *, dtype: str = "uint16", z: int = 1, c: int = 1) -> list[np.ndarray]:
    """Planes by z and then c."""
    return [picture(number + 10 * section + channel, dtype=dtype) for section in range(z) for channel in range(c)]


def pixel_file(lab: Lab, conn: BlitzGateway, image_id: int) -> Path:
    return lab.sandbox.folder / pixels_file(conn.getObject("Image", image_id).getPixelsId())


# ----------------------------------------------------------------- files of OMERO's own


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_pixel_files_give_the_same_bits(ada: BlitzGateway, conn: BlitzGateway, repository: Repository, dtype: str) -> None:
    image = make_image(ada, "typed", stack(3, dtype=dtype))
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, tally.from_api) == (1, 0)


def test_stacks_of_several_channels(ada: BlitzGateway, conn: BlitzGateway, repository: Repository) -> None:
    image = make_image(ada, "stack", stack(3, z=3, c=2), z=3, c=2)
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, tally.from_api) == (6, 0)


def test_a_well_costs_one_call(ada: BlitzGateway, conn: BlitzGateway, plate: PlateLayout, repository: Repository) -> None:
    counted = FusedGateway(conn)
    assert len(list(read_planes(counted, plate.wells[0], repository=repository))) == 4
    assert counted.fuse.made == 1


def test_large_files_are_not_held_in_memory(
    ada: BlitzGateway, conn: BlitzGateway, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "KEPT_BYTES", 100)
    image = make_image(ada, "stack", stack(3, z=3, c=2), z=3, c=2)
    assert both_ways(conn, layout_of(ada, conn, image.getId()), repository).from_files == 6


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(40)
        byte = file.read(1)
        file.seek(40)
        file.write(bytes([byte[0] ^ 1]))


def _swap_for_link(path: Path) -> None:
    other = path.with_name(f"{path.name}.away")
    path.rename(other)
    path.symlink_to(other)  # inside: followed; the sandbox follows it, too
    outside = Path("/dev/zero")
    path.unlink()
    path.symlink_to(outside)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (_flip, "checksum"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "bytes instead of"),
        (lambda path: os.truncate(path, path.stat().st_size + 1), "bytes instead of"),
        (lambda path: path.unlink(), "not in the repository"),
        (_swap_for_link, "outside of the repository"),
    ],
)
def test_a_file_that_is_not_the_one_omero_means_is_not_used(
    ada: BlitzGateway,
    conn: BlitzGateway,
    lab: Lab,
    tmp_path: Path,
    harm: Callable[[Path], Any],
    reason: str,
) -> None:
    """The worker sees a copy of the repository, as by a mount that lags behind; OMERO has the true one."""
    pixels = stack(5)
    image = make_image(ada, "one", pixels)
    plate = layout_of(ada, conn, image.getId())
    true = pixel_file(lab, conn, image.getId())
    copy = tmp_path / true.relative_to(lab.sandbox.folder)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(true.read_bytes())
    copied = Repository(tmp_path)
    assert both_ways(conn, plate, copied).from_files == 1
    harm(copy)
    tally = both_ways(conn, plate, copied)
    assert (tally.from_files, tally.from_api) == (0, 1)
    (said,) = tally.reasons
    assert reason in said


def test_without_a_checksum_pixels_are_compared_with_omero(
    ada: BlitzGateway, conn: BlitzGateway, lab: Lab, tmp_path: Path, repository: Repository
) -> None:
    image = make_image(ada, "old", stack(7, z=2, c=2), z=2, c=2)
    plate = layout_of(ada, conn, image.getId())
    pixels = ada.getQueryService().get("Pixels", image.getPixelsId(), ada.SERVICE_OPTS)
    pixels.sha1 = rstring("Pending...")
    ada.getUpdateService().saveObject(pixels, ada.SERVICE_OPTS)
    assert both_ways(conn, plate, repository).from_files == 4

    true = pixel_file(lab, conn, image.getId())
    copy = tmp_path / true.relative_to(lab.sandbox.folder)
    copy.parent.mkdir(parents=True)
    planes = np.frombuffer(true.read_bytes(), ">u2").reshape(2, 2, 24, 32)
    copy.write_bytes(planes.swapaxes(0, 1).tobytes())  # channels and sections the other way round
    tally = both_ways(conn, plate, Repository(tmp_path))
    assert (tally.from_files, tally.from_api) == (0, 4)
    assert list(tally.reasons) == ["its file holds other pixels than OMERO gives"]


def test_a_checked_file_is_checked_again_when_it_changes(
    ada: BlitzGateway, conn: BlitzGateway, lab: Lab, repository: Repository
) -> None:
    image = make_image(ada, "changing", stack(5))
    plate = layout_of(ada, conn, image.getId())
    assert both_ways(conn, plate, repository).from_files == 1
    counted = FusedGateway(conn)
    list(read_planes(counted, plate.wells[0], repository=repository))
    assert counted.fuse.made == 1
    _flip(pixel_file(lab, conn, image.getId()))  # under OMERO's hands: it gives the changed pixels, and so do we
    tally = both_ways(conn, plate, repository)
    assert (tally.from_files, tally.from_api) == (0, 1)


def test_a_file_that_shrinks_while_it_is_read(
    ada: BlitzGateway, conn: BlitzGateway, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "KEPT_BYTES", 100)
    image = make_image(ada, "shrinking", stack(5, z=3), z=3)
    plate = layout_of(ada, conn, image.getId())
    true = pixel_file(lab, conn, image.getId())
    copy = tmp_path / true.relative_to(lab.sandbox.folder)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(true.read_bytes())
    expected = [plane.pixels for plane in read_planes(conn, plate.wells[0])]
    tally, found = ReadTally(), []
    for plane in read_planes(conn, plate.wells[0], repository=Repository(tmp_path), tally=tally):
        found.append(plane.pixels)
        os.truncate(copy, 10)
    np.testing.assert_array_equal(found, expected)
    assert (tally.from_files, tally.from_api) == (1, 2)


# ----------------------------------------------------------------- whose pixels


def test_who_may_not_read_the_image_gets_nothing(make_lab: Callable[[str], Lab]) -> None:
    private = make_lab("rw----")
    ada, eve = private.person(), private.person()
    image = make_image(ada, "secret", stack(1))
    repository = Repository(private.sandbox.folder)
    with private.joined(ada) as conn:
        plate = layout_of(ada, conn, image.getId())
        assert both_ways(conn, plate, repository).from_files == 1  # checked, and remembered
    with private.joined(eve) as conn, pytest.raises(OpenHCSError) as caught:
        list(read_planes(conn, plate.wells[0], repository=repository))
    assert caught.value.code == "image_gone"


def test_an_entry_of_ones_own_does_not_open_a_file_of_somebody_else(make_lab: Callable[[str], Lab], tmp_path: Path) -> None:
    """Eve makes a file entry with the path of Ada's file, and calls it the fileset of her image."""
    private = make_lab("rw----")
    ada, eve = private.person(), private.person()
    tifffile.imwrite(tmp_path / "secret.tif", picture(1))
    stored = add_fileset(private, ada, [make_image(ada, "secret", [picture(1)]).getId()], tmp_path / "secret.tif")
    mine = make_image(eve, "mine", [picture(1)])  # she even guessed the pixels
    forged = add_fileset(private, eve, [mine.getId()], tmp_path / "secret.tif", managed=False)
    forged.unlink()
    forged.parent.rmdir()
    forged.parent.symlink_to(stored.parent)
    with private.joined(eve) as conn:
        plate = layout_of(eve, conn, mine.getId())
        tally = both_ways(conn, plate, Repository(private.sandbox.folder))
    assert (tally.from_files, tally.from_api) == (0, 1)
    assert list(tally.reasons) == ["its file is not in the managed repository that is seen here"]


# ----------------------------------------------------------------- imported files


def as_tiff(path: Path, planes: list[np.ndarray], *, z: int, c: int, ome: bool, **options: Any) -> Path:
    array = np.array(planes).reshape(z, c, *planes[0].shape)
    if ome:
        tifffile.imwrite(path, array, ome=True, photometric="minisblack", metadata={"axes": "ZCYX"}, **options)
    else:
        tifffile.imwrite(path, array.squeeze(), photometric="minisblack", metadata=None, **options)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "tile": (16, 16)}, {"byteorder": ">"}])
def test_ome_tiff(
    lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path, dtype: str, options: dict[str, Any]
) -> None:
    planes = stack(3, dtype=dtype, z=3, c=2)
    image = make_image(ada, "stack", planes, z=3, c=2)
    add_fileset(lab, ada, [image.getId()], as_tiff(tmp_path / "stack.ome.tiff", planes, z=3, c=2, ome=True, **options))
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, tally.from_api, dict(tally.reasons)) == (6, 0, {})


def test_plain_tiff(lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path) -> None:
    one, many = make_image(ada, "one", stack(1)), make_image(ada, "many", stack(2, z=3), z=3)
    add_fileset(lab, ada, [one.getId()], as_tiff(tmp_path / "one.tif", stack(1), z=1, c=1, ome=False))
    add_fileset(lab, ada, [many.getId()], as_tiff(tmp_path / "many.tif", stack(2, z=3), z=3, c=1, ome=False))
    tally = both_ways(conn, layout_of(ada, conn, one.getId(), many.getId()), repository)
    assert (tally.from_files, dict(tally.reasons)) == (4, {})


def test_colours(lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path) -> None:
    planes = stack(1, dtype="uint8", c=3)
    image = make_image(ada, "colours", planes, c=3)
    tifffile.imwrite(tmp_path / "colours.tif", np.stack(planes, axis=-1), photometric="rgb", metadata=None)
    add_fileset(lab, ada, [image.getId()], tmp_path / "colours.tif")
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, dict(tally.reasons)) == (3, {})


def test_images_of_one_file(lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path) -> None:
    images = [make_image(ada, f"image {number}", stack(10 * number)) for number in range(3)]
    with tifffile.TiffWriter(tmp_path / "several.ome.tiff", ome=True) as writer:
        for number in range(3):
            writer.write(stack(10 * number)[0], photometric="minisblack", metadata={"axes": "YX"})
    add_fileset(lab, ada, [image.getId() for image in images], tmp_path / "several.ome.tiff")
    tally = both_ways(conn, layout_of(ada, conn, *(image.getId() for image in reversed(images))), repository)
    assert (tally.from_files, dict(tally.reasons)) == (3, {})


def _rewrite(path: Path) -> None:
    tifffile.imwrite(path, picture(99), photometric="minisblack", metadata=None)


@pytest.mark.parametrize(
    ("harm", "digest", "reason"),
    [
        (_rewrite, True, "checksum"),
        (_rewrite, False, "other pixels"),
        (lambda path: os.truncate(path, path.stat().st_size - 8), False, "bytes instead of"),
        (lambda path: path.write_bytes(bytes(path.stat().st_size)), False, "decoded"),
        (lambda path: path.unlink(), False, "not in the repository"),
    ],
)
def test_a_changed_or_broken_tiff_is_not_used(
    lab: Lab,
    ada: BlitzGateway,
    conn: BlitzGateway,
    repository: Repository,
    tmp_path: Path,
    harm: Callable[[Path], Any],
    digest: bool,
    reason: str,
) -> None:
    image = make_image(ada, "one", stack(1))
    file = as_tiff(tmp_path / "one.tif", stack(1), z=1, c=1, ome=False)
    stored = add_fileset(lab, ada, [image.getId()], file, digest=digest)
    plate = layout_of(ada, conn, image.getId())
    assert both_ways(conn, plate, repository).from_files == 1
    harm(stored)
    tally = both_ways(conn, plate, repository)
    assert (tally.from_files, tally.from_api) == (0, 1)
    (said,) = tally.reasons
    assert reason in said


@pytest.mark.parametrize(
    ("write", "name", "reason"),
    [
        (lambda path: tifffile.imwrite(path, picture(1, size=(32, 24)), metadata=None), "one.tif", "another shape"),
        (lambda path: tifffile.imwrite(path, picture(1, dtype="int16"), metadata=None), "one.tif", "int16 values"),
        (lambda path: path.write_bytes(b"CZI"), "one.czi", "read by OMERO only"),
        (
            lambda path: tifffile.imwrite(path, np.stack([picture(1), picture(2)]), photometric="minisblack", metadata=None),
            "one.tif",
            "not certain",
        ),
    ],
)
def test_a_file_of_another_kind_is_read_through_omero(
    lab: Lab,
    ada: BlitzGateway,
    conn: BlitzGateway,
    repository: Repository,
    tmp_path: Path,
    write: Callable[[Path], Any],
    name: str,
    reason: str,
) -> None:
    image = make_image(ada, "one", stack(1))
    write(tmp_path / name)
    add_fileset(lab, ada, [image.getId()], tmp_path / name)
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, tally.from_api) == (0, 1)
    (said,) = tally.reasons
    assert reason in said


def test_an_ome_tiff_does_not_lead_to_other_files(
    lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "secret.ome.tif", picture(1), metadata={"axes": "YX"})
    names = '<UUID FileName="{}">urn:uuid:00000000-0000-0000-0000-000000000001</UUID>'.format(tmp_path / "secret.ome.tif")
    description = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:00000000-0000-0000-0000-000000000002">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="32" SizeY="24" SizeZ="1" '
        f'SizeC="1" SizeT="1"><TiffData IFD="0" PlaneCount="1">{names}</TiffData></Pixels></Image></OME>'
    )
    image = make_image(ada, "one", [picture(1)])
    tifffile.imwrite(tmp_path / "lure.ome.tif", picture(2), description=description, metadata=None)
    add_fileset(lab, ada, [image.getId()], tmp_path / "lure.ome.tif")
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, tally.from_api) == (0, 1)


# ----------------------------------------------------------------- OME-Zarr


def as_zarr(group: zarr.Group, planes: list[np.ndarray], *, z: int, c: int, version: int) -> None:
    array = np.array(planes).reshape(z, c, *planes[0].shape).swapaxes(0, 1)[None]
    group.create_array("0", data=array, chunks=(1, 1, 1, 16, 16))
    multiscales = [{"axes": [{"name": name} for name in "tczyx"], "datasets": [{"path": "0"}]}]
    if version == 2:
        group.attrs["multiscales"] = multiscales
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}


def main_file(version: int) -> str:
    return ".zattrs" if version == 2 else "zarr.json"


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr(
    lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path, version: int
) -> None:
    planes = stack(3, z=3, c=2)
    image = make_image(ada, "stack", planes, z=3, c=2)
    as_zarr(zarr.open_group(tmp_path / "stack.zarr", mode="w", zarr_format=version), planes, z=3, c=2, version=version)
    stored = add_fileset(lab, ada, [image.getId()], tmp_path / "stack.zarr", main=main_file(version))
    plate = layout_of(ada, conn, image.getId())
    tally = both_ways(conn, plate, repository)
    assert (tally.from_files, dict(tally.reasons)) == (6, {})

    metadata = {"zarr.json", ".zarray", ".zattrs"}
    chunk = next(path for path in (stored / "0").rglob("*") if path.is_file() and path.name not in metadata)
    elsewhere = tmp_path / "chunk"
    chunk.rename(elsewhere)
    tally = both_ways(conn, plate, repository)
    assert (tally.from_files, tally.from_api) == (0, 6)
    chunk.symlink_to(elsewhere)
    tally = both_ways(conn, plate, repository)
    assert (tally.from_files, list(tally.reasons)) == (0, ["its file lies outside of the repository"])


def test_a_plate_in_ome_zarr(lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path) -> None:
    images = [make_image(ada, f"image {number}", stack(10 * number)) for number in range(4)]
    plate = zarr.open_group(tmp_path / "plate.zarr", mode="w", zarr_format=2)
    plate.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "A/2"}]}
    for number in range(4):
        well = plate.require_group(f"A/{number // 2 + 1}")
        well.attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}]}
        as_zarr(well.create_group(str(number % 2)), stack(10 * number), z=1, c=1, version=2)
    add_fileset(lab, ada, [image.getId() for image in images], tmp_path / "plate.zarr", main=".zattrs")
    tally = both_ways(conn, layout_of(ada, conn, *(image.getId() for image in images)), repository)
    assert (tally.from_files, dict(tally.reasons)) == (4, {})


@pytest.mark.parametrize("path", ["../../../secret", "/secret"])
def test_an_ome_zarr_does_not_lead_out_of_its_folder(
    lab: Lab, ada: BlitzGateway, conn: BlitzGateway, repository: Repository, tmp_path: Path, path: str
) -> None:
    image = make_image(ada, "one", [picture(1)])
    group = zarr.open_group(tmp_path / "lure.zarr", mode="w", zarr_format=2)
    group.attrs["multiscales"] = [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": path}]}]
    add_fileset(lab, ada, [image.getId()], tmp_path / "lure.zarr", main=".zattrs")
    tally = both_ways(conn, layout_of(ada, conn, image.getId()), repository)
    assert (tally.from_files, list(tally.reasons)) == (0, ["its OME-Zarr leads out of its folder"])
