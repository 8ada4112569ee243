# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pixels, thumbnails and files through unmodified clients: what comes back, and who may write."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import omero
import omero.model
import omero.romio
import pytest
from omero.gateway import BlitzGateway, ImageWrapper
from omero.rtypes import rint, rlong, rstring
from PIL import Image

from omero_sandbox.testing import RunningSandbox

from ..people import People

pytestmark = pytest.mark.stack

PLANES = np.random.default_rng(1).integers(0, 4000, (2, 3, 40, 50)).astype(np.uint16)  # c, z, y, x


def make_image(conn: BlitzGateway, planes: np.ndarray = PLANES) -> ImageWrapper:
    """An image in the group that the connection works in; axes c, z, y, x."""
    size_c, size_z = planes.shape[:2]
    order = (planes[c, z] for z in range(size_z) for c in range(size_c))
    image = conn.createImageFromNumpySeq(order, f"image-{secrets.token_hex(4)}", sizeZ=size_z, sizeC=size_c)
    return conn.getObject("Image", image.getId())


@pytest.fixture
def owner(people: People) -> BlitzGateway:
    return people.connect("owner", "read-annotate")


@pytest.fixture
def image(owner: BlitzGateway) -> ImageWrapper:
    return make_image(owner)


@pytest.fixture
def store(owner: BlitzGateway, image: ImageWrapper) -> Iterator[Any]:
    store = owner.c.sf.createRawPixelsStore()
    store.setPixelsId(image.getPixelsId(), True, owner.SERVICE_OPTS)
    yield store
    store.close()


def decoded(values: bytes, *shape: int) -> np.ndarray:
    return np.frombuffer(values, ">u2").reshape(shape)


def test_parts_of_an_image(store: Any, image: ImageWrapper) -> None:
    np.testing.assert_array_equal(decoded(store.getPlane(2, 1, 0), 40, 50), PLANES[1, 2])
    np.testing.assert_array_equal(decoded(store.getTile(2, 1, 0, 5, 6, 7, 8), 8, 7), PLANES[1, 2, 6:14, 5:12])
    np.testing.assert_array_equal(decoded(store.getRow(3, 2, 1, 0), 50), PLANES[1, 2, 3])
    np.testing.assert_array_equal(decoded(store.getCol(4, 2, 1, 0), 40), PLANES[1, 2, :, 4])
    np.testing.assert_array_equal(decoded(store.getStack(1, 0), 3, 40, 50), PLANES[1])
    np.testing.assert_array_equal(decoded(store.getTimepoint(0), 2, 3, 40, 50), PLANES)
    cube = store.getHypercube([1, 2, 0, 1, 0], [6, 4, 3, 1, 1], [2, 1, 2, 1, 1])
    np.testing.assert_array_equal(decoded(cube, 2, 4, 3), PLANES[1, 0:3:2, 2:6, 1:7:2])
    np.testing.assert_array_equal(decoded(store.getPlaneRegion(0, 0, 0, 4, 60), 4), PLANES[0, 0].ravel()[60:64])
    assert store.getRegion(6, 2) == PLANES.astype(">u2").tobytes()[2:8]
    assert store.calculateMessageDigest() == hashlib.sha1(PLANES.astype(">u2").tobytes()).digest()
    assert (store.getRowSize(), store.getPlaneSize(), store.getStackSize()) == (100, 4000, 12000)
    assert (store.getTimepointSize(), store.getTotalSize(), store.getByteWidth()) == (24000, 24000, 2)
    assert (store.isSigned(), store.isFloat(), store.getPixelsId()) == (False, False, image.getPixelsId())
    assert store.getPlaneOffset(1, 1, 0) == 16000
    assert store.findMinMax([0, 1]) == {c: [float(PLANES[c].min()), float(PLANES[c].max())] for c in (0, 1)}
    plane = omero.romio.PlaneDef(omero.romio.XY, 0, 0, 1, 0, None, 0)
    assert store.getHistogram([1], 5, False, plane)[1] == np.histogram(PLANES[1, 1], 5)[0].tolist()
    assert (store.getResolutionLevels(), store.requiresPixelsPyramid()) == (1, False)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.getPlane(3, 0, 0),
        lambda s: s.getPlane(0, 2, 0),
        lambda s: s.getTile(0, 0, 0, 45, 0, 6, 1),
        lambda s: s.getTile(0, 0, 0, -1, 0, 6, 1),
        lambda s: s.getRegion(10, 23_995),
        lambda s: s.getRegion(2**31 - 1, 0),
        lambda s: s.getPlaneRegion(0, 0, 0, 2, 1999),
        lambda s: s.getHistogram([0], 0, False, omero.romio.PlaneDef()),
        lambda s: s.setPlane(b"short", 0, 0, 0),
        lambda s: s.setTile(bytes(200), 0, 0, 0, 45, 0, 10, 10),
        lambda s: s.setRegion(3, 0, b"ab"),
        lambda s: s.setResolutionLevel(1),
    ],
)
def test_what_is_not_in_the_image_is_a_wrong_argument(store: Any, call: Callable[[Any], object]) -> None:
    with pytest.raises(omero.ApiUsageException):
        call(store)
    assert decoded(store.getTimepoint(0), 2, 3, 40, 50).tolist() == PLANES.tolist()


def test_a_store_without_pixels_says_so(owner: BlitzGateway) -> None:
    store = owner.c.sf.createRawPixelsStore()
    with pytest.raises(omero.ApiUsageException, match="setPixelsId"):
        store.getPlane(0, 0, 0)
    with pytest.raises(omero.ValidationException):
        store.setPixelsId(2**40, True)
    store.close()


def test_writing_records_the_checksum(owner: BlitzGateway, image: ImageWrapper, store: Any) -> None:
    tile = np.full((2, 3), 7, ">u2")
    store.setTile(tile.tobytes(), 0, 1, 0, 10, 20, 3, 2)
    expected = PLANES.copy()
    expected[1, 0, 20:22, 10:13] = 7
    np.testing.assert_array_equal(image.getPrimaryPixels().getPlane(0, 1, 0), expected[1, 0])
    assert store.save().sha1.val == hashlib.sha1(expected.astype(">u2").tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("dtype", "pixel_type"),
    [
        ("uint8", "uint8"),
        ("int8", "int8"),
        ("uint16", "uint16"),
        ("int16", "int16"),
        ("uint32", "uint32"),
        ("int32", "int32"),
        ("float32", "float"),
        ("float64", "double"),
    ],
)
def test_every_pixel_type_that_clients_make(owner: BlitzGateway, dtype: str, pixel_type: str) -> None:
    plane = np.array([[0, 1, 2], [100, 101, 102]], dtype)
    if np.dtype(dtype).kind in "if":
        plane[0, 0] = -7
    image = make_image(owner, plane[None, None])
    assert image.getPixelsType() == pixel_type
    np.testing.assert_array_equal(image.getPrimaryPixels().getPlane(), plane)
    (channel,) = image.getChannels()
    assert (channel.getWindowMin(), channel.getWindowMax()) == (float(plane.min()), float(plane.max()))


def test_who_may_read_and_write_pixels(people: People) -> None:
    """In each kind of group: who reads the owner's pixels, and who writes them."""
    reads = {kind: {"leader"} for kind in people.groups}
    writes = {kind: {"leader"} for kind in people.groups}
    for kind in ("read-only", "read-annotate", "read-write"):
        reads[kind].add("member")
    writes["read-write"].add("member")
    for kind in people.groups:
        image = make_image(people.connect("owner", kind))
        for role in ("member", "leader", "outsider"):
            conn = people.connect(role, kind)
            store = conn.c.sf.createRawPixelsStore()
            try:
                if role not in reads[kind]:
                    with pytest.raises(omero.ServerError):
                        store.setPixelsId(image.getPixelsId(), True, conn.SERVICE_OPTS)
                    with pytest.raises(omero.ServerError):
                        store.getPlane(0, 0, 0)
                    continue
                store.setPixelsId(image.getPixelsId(), True, conn.SERVICE_OPTS)
                np.testing.assert_array_equal(decoded(store.getPlane(0, 0, 0), 40, 50), PLANES[0, 0])
                writing: list[Callable[[], object]] = [
                    lambda s=store: s.setPlane(PLANES[0, 0].astype(">u2").tobytes(), 0, 0, 0),
                    lambda s=store: s.setTile(PLANES[0, 0, :1, :1].astype(">u2").tobytes(), 0, 0, 0, 0, 0, 1, 1),
                    lambda s=store: s.setRow(PLANES[0, 0, 0].astype(">u2").tobytes(), 0, 0, 0, 0),
                    lambda s=store: s.setStack(PLANES[0].astype(">u2").tobytes(), 0, 0, 0),
                    lambda s=store: s.setTimepoint(PLANES.astype(">u2").tobytes(), 0),
                    lambda s=store: s.setRegion(2, 0, PLANES[0, 0, :1, :1].astype(">u2").tobytes()),
                    store.save,
                ]
                for write in writing:
                    if role in writes[kind]:
                        write()
                    else:
                        with pytest.raises(omero.SecurityViolation):
                            write()
            finally:
                store.close()


def test_an_open_store_obeys_a_membership_that_ends(omero_sandbox: RunningSandbox) -> None:
    tag = secrets.token_hex(4)
    group = omero_sandbox.create_group(f"leaving-{tag}", "rwra--")
    omero_sandbox.create_user(f"stays-{tag}", "password", [group])
    leaves = omero_sandbox.create_user(f"leaves-{tag}", "password", [omero_sandbox.create_group(f"other-{tag}"), group])
    with (
        omero_sandbox.connection(f"stays-{tag}", "password") as one,
        omero_sandbox.connection(f"leaves-{tag}", "password") as other,
        omero_sandbox.connection() as root,
    ):
        image = make_image(one)
        store = other.c.sf.createRawPixelsStore()
        store.setPixelsId(image.getPixelsId(), True, {"omero.group": str(group)})
        assert len(store.getPlane(0, 0, 0)) == 4000
        root.getAdminService().removeGroups(
            omero.model.ExperimenterI(leaves, False), [omero.model.ExperimenterGroupI(group, False)]
        )
        with pytest.raises(omero.ValidationException):
            store.getPlane(0, 0, 0)
        store.close()


# -- thumbnails -------------------------------------------------------------------------------------------------------


def size_of(jpeg: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(jpeg)).size


def test_thumbnails_of_one_image(image: ImageWrapper) -> None:
    assert size_of(image.getThumbnail((96,))) == (96, 77)
    assert size_of(image.getThumbnail((30, 20))) == (30, 20)
    assert size_of(image.getThumbnail((96,), direct=True)) == (96, 77)
    assert image.getThumbnail((48,), z=0, t=0) != image.getThumbnail((48,), z=2, t=0)


def test_thumbnail_sets_leave_out_what_may_not_be_seen(people: People) -> None:
    private = people.connect("owner", "private")
    hidden, member = make_image(private), people.connect("member", "read-annotate")
    visible = make_image(people.connect("owner", "read-annotate"))
    store = member.c.sf.createThumbnailStore()
    try:
        ids = [visible.getPixelsId(), hidden.getPixelsId(), 2**40]
        got = store.getThumbnailByLongestSideSet(rint(64), ids, member.SERVICE_OPTS)
        assert list(got) == [visible.getPixelsId()]
        assert size_of(got[visible.getPixelsId()]) == (64, 51)
        assert list(store.getThumbnailSet(rint(10), rint(10), ids, member.SERVICE_OPTS)) == [visible.getPixelsId()]
        with pytest.raises(omero.ValidationException):
            store.setPixelsId(hidden.getPixelsId(), member.SERVICE_OPTS)
        for wrong in (lambda: store.getThumbnailSet(rint(0), rint(10), ids), lambda: store.getThumbnail(rint(9), rint(9))):
            with pytest.raises(omero.ApiUsageException):
                wrong()
    finally:
        store.close()


# -- files ------------------------------------------------------------------------------------------------------------


def make_file(conn: BlitzGateway, content: bytes) -> int:
    file = omero.model.OriginalFileI()
    file.name, file.path, file.size = rstring("../../../etc/passwd"), rstring("/../"), rlong(0)
    file_id = conn.getUpdateService().saveAndReturnObject(file, conn.SERVICE_OPTS).id.val
    store = conn.c.sf.createRawFileStore()
    store.setFileId(file_id, conn.SERVICE_OPTS)
    store.write(content, 0, len(content))
    store.close()
    return int(file_id)


def test_files_come_back_with_size_and_checksum(owner: BlitzGateway, omero_sandbox: RunningSandbox) -> None:
    content = b"well,count\nA01,12\n" * 1000
    file_id = make_file(owner, content)
    file = owner.getObject("OriginalFile", file_id)
    assert (file.getSize(), file.getHash()) == (len(content), hashlib.sha1(content).hexdigest())
    assert b"".join(file.getFileInChunks(buf=4096)) == content
    store = owner.c.sf.createRawFileStore()
    store.setFileId(file_id, owner.SERVICE_OPTS)
    assert store.exists()
    assert store.size() == len(content)
    assert store.read(len(content) - 3, 100) == content[-3:]
    assert store.read(len(content) + 3, 100) == b""
    assert store.truncate(10)
    assert not store.truncate(10)
    store.write(b"XY", 20, 2)
    saved = store.save()
    assert (saved.size.val, saved.hash.val) == (22, hashlib.sha1(content[:10] + bytes(10) + b"XY").hexdigest())
    for wrong in (
        lambda: store.read(-1, 5),
        lambda: store.read(0, 2**31 - 1),
        lambda: store.write(b"ab", 0, 3),
        lambda: store.write(b"ab", -1, 2),
        lambda: store.write(b"ab", 2**60, 2),
        lambda: store.truncate(-1),
    ):
        with pytest.raises(omero.ApiUsageException):
            wrong()
    assert store.size() == 22
    store.close()
    # Name and path are only labels: everything lies below the data folder, under a number.
    lying = [path for path in (omero_sandbox.folder / "files").rglob("*") if path.is_file()]
    assert all(path.name.isdigit() for path in lying)
    assert str(file_id) in {path.name for path in lying}


def test_who_may_read_and_write_files(people: People) -> None:
    for kind in people.groups:
        file_id = make_file(people.connect("owner", kind), b"original")
        for role in ("member", "leader", "outsider"):
            conn = people.connect(role, kind)
            may_read = role == "leader" or (role == "member" and kind != "private")
            may_write = role == "leader" or (role == "member" and kind == "read-write")
            store = conn.c.sf.createRawFileStore()
            try:
                if not may_read:
                    with pytest.raises(omero.ValidationException):
                        store.setFileId(file_id, conn.SERVICE_OPTS)
                    continue
                store.setFileId(file_id, conn.SERVICE_OPTS)
                assert store.read(0, 100) == b"original"
                for write in (lambda s=store: s.write(b"O", 0, 1), lambda s=store: s.truncate(1), store.save):
                    if may_write:
                        write()
                    else:
                        with pytest.raises(omero.SecurityViolation):
                            write()
                if may_write:
                    store.truncate(0)
                    store.write(b"original", 0, 8)
                assert store.read(0, 100) == b"original"
            finally:
                store.close()


def test_deleting_removes_the_data(people: People, omero_sandbox: RunningSandbox) -> None:
    owner = people.connect("owner", "read-annotate")
    image, file_id = make_image(owner), make_file(owner, b"gone soon")
    image.getThumbnail((96,))

    def lying() -> set[str]:
        folder = omero_sandbox.folder
        return {
            name
            for name, parent, number in (
                ("pixels", "Pixels", image.getPixelsId()),
                ("thumbnails", "thumbnails", image.getPixelsId()),
                ("file", "files", file_id),
            )
            if list((folder / parent).rglob(str(number)))
        }

    assert lying() == {"pixels", "thumbnails", "file"}
    owner.deleteObjects("Image", [image.getId()], wait=True)
    owner.deleteObjects("OriginalFile", [file_id], wait=True)
    assert lying() == set()
