# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pixel files: what lies where, in which byte order, and what is out of bounds."""

from __future__ import annotations

import hashlib
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from omero_sandbox.pixels.buffers import PIXEL_DTYPES, OutOfBoundsError, PixelBuffer, PixelShape, pixel_dtype, pixel_path

SHAPE = PixelShape(size_x=5, size_y=4, size_z=3, size_c=2, size_t=2)


@pytest.fixture
def buffer(tmp_path: Path) -> PixelBuffer:
    buffer = PixelBuffer(pixel_path(tmp_path, 7), SHAPE, "uint16")
    for t in range(2):
        buffer.write_timepoint(t, whole()[t])
    return buffer


def whole() -> np.ndarray:
    """Every pixel has its own value; axes t, c, z, y, x."""
    return np.arange(2 * 2 * 3 * 4 * 5).reshape(2, 2, 3, 4, 5)


@pytest.mark.parametrize("pixel_type", sorted(PIXEL_DTYPES))
def test_every_pixel_type_comes_back_big_endian(tmp_path: Path, pixel_type: str) -> None:
    dtype = pixel_dtype(pixel_type)
    values = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    if pixel_type != "bit":
        values[0, 1] = 100
    if dtype.kind == "i":
        values[1, 1] = -5
    buffer = PixelBuffer(pixel_path(tmp_path, 1), PixelShape(3, 2), pixel_type)
    buffer.write_plane(0, 0, 0, values.astype(dtype.newbyteorder("<")))  # any byte order may be handed in
    np.testing.assert_array_equal(buffer.plane(0, 0, 0), values)
    assert buffer.path.read_bytes() == values.astype(dtype.newbyteorder(">")).tobytes()
    assert buffer.plane(0, 0, 0).tobytes() == buffer.path.read_bytes()


def test_an_unknown_pixel_type_is_named() -> None:
    with pytest.raises(ValueError, match="'rgb'"):
        pixel_dtype("rgb")


def test_order_in_the_file_is_xyzct(buffer: PixelBuffer) -> None:
    np.testing.assert_array_equal(np.fromfile(buffer.path, ">u2"), whole().ravel())
    assert buffer.row_offset(1, 2, 1, 1) == 2 * int(whole()[1, 1, 2, 1, 0])
    assert (buffer.row_size, buffer.plane_size, buffer.stack_size) == (10, 40, 120)
    assert (buffer.timepoint_size, buffer.total_size) == (240, 480)


def test_reading_parts(buffer: PixelBuffer) -> None:
    data = whole()
    np.testing.assert_array_equal(buffer.plane(2, 1, 0), data[0, 1, 2])
    np.testing.assert_array_equal(buffer.tile(2, 1, 0, x=1, y=2, width=3, height=2), data[0, 1, 2, 2:4, 1:4])
    np.testing.assert_array_equal(buffer.row(3, 2, 1, 0), data[0, 1, 2, 3])
    np.testing.assert_array_equal(buffer.column(4, 2, 1, 0), data[0, 1, 2, :, 4])
    np.testing.assert_array_equal(buffer.stack(1, 1), data[1, 1])
    np.testing.assert_array_equal(buffer.timepoint(1), data[1])
    cube = buffer.hypercube([1, 0, 0, 1, 0], [4, 3, 3, 1, 2], [2, 1, 2, 1, 1])
    np.testing.assert_array_equal(cube, data[0:2, 1:2, 0:3:2, 0:3, 1:5:2])
    assert buffer.region(6, 4) == data.astype(">u2").tobytes()[4:10]
    assert buffer.sha1() == hashlib.sha1(data.astype(">u2").tobytes()).digest()


def test_writing_parts(buffer: PixelBuffer) -> None:
    expected = whole()
    buffer.write_tile(1, 0, 1, np.full((2, 3), 9), x=2, y=1, width=3, height=2)
    expected[1, 0, 1, 1:3, 2:5] = 9
    buffer.write_row(0, 0, 0, 0, np.full(5, 8))
    expected[0, 0, 0, 0] = 8
    buffer.write_stack(1, 0, np.zeros((3, 4, 5)))
    expected[0, 1] = 0
    buffer.write_region(2, b"\x01\x02")
    expected[0, 0, 0, 0, 1] = 258
    buffer.write_plane(2, 1, 1, np.full((4, 5), 7, ">u2").tobytes())
    expected[1, 1, 2] = 7
    for t in range(2):
        np.testing.assert_array_equal(buffer.timepoint(t), expected[t])


def test_pixels_nobody_wrote_are_zero(tmp_path: Path) -> None:
    buffer = PixelBuffer(pixel_path(tmp_path, 1), SHAPE, "float")
    assert not buffer.plane(2, 1, 1).any()
    assert buffer.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda b: b.plane(3, 0, 0),
        lambda b: b.plane(0, 2, 0),
        lambda b: b.plane(0, 0, -1),
        lambda b: b.stack(0, 2),
        lambda b: b.timepoint(-1),
        lambda b: b.row(4, 0, 0, 0),
        lambda b: b.column(5, 0, 0, 0),
        lambda b: b.tile(0, 0, 0, x=3, y=0, width=3, height=1),
        lambda b: b.tile(0, 0, 0, x=0, y=-1, width=1, height=1),
        lambda b: b.tile(0, 0, 0, x=0, y=0, width=0, height=1),
        lambda b: b.hypercube([0, 0, 0, 0, 0], [5, 4, 3, 2, 3], [1, 1, 1, 1, 1]),
        lambda b: b.hypercube([0, 0, 0, 0, 0], [5, 4, 3, 2, 2], [1, 1, 1, 1, 0]),
        lambda b: b.hypercube([0, 0], [5, 4], [1, 1]),
        lambda b: b.region(10, 475),
        lambda b: b.region(-1, 0),
        lambda b: b.row_offset(0, 0, 0, 2),
        lambda b: b.write_plane(3, 0, 0, bytes(40)),
        lambda b: b.write_plane(0, 0, 0, bytes(39)),
        lambda b: b.write_plane(0, 0, 0, bytes(41)),
        lambda b: b.write_region(479, b"ab"),
        lambda b: b.write_tile(0, 0, 0, bytes(8), x=4, y=0, width=2, height=2),
        lambda b: b.write_tile(0, 0, 0, bytes(7), x=0, y=0, width=2, height=2),
    ],
)
def test_out_of_bounds_changes_nothing(buffer: PixelBuffer, call: Callable[[PixelBuffer], object]) -> None:
    before = buffer.path.read_bytes()
    with pytest.raises(OutOfBoundsError):
        call(buffer)
    assert buffer.path.read_bytes() == before


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="size_z"):
        PixelShape(1, 1, 0)


def test_a_full_disk_raises_and_does_not_kill(tmp_path: Path) -> None:
    """A file-size limit stands in for a full disk; writing through a memory map would end the process here."""
    buffer = PixelBuffer(pixel_path(tmp_path, 1), PixelShape(64, 64), "uint8")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            buffer.write_plane(0, 0, 0, bytes(4096))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)


def test_many_threads_write_their_own_planes(tmp_path: Path) -> None:
    shape = PixelShape(64, 64, 8)
    buffers = [PixelBuffer(pixel_path(tmp_path, 1), shape, "uint16") for _ in range(8)]
    threads = [
        threading.Thread(target=buffer.write_plane, args=(z, 0, 0, np.full((64, 64), z + 1)))
        for z, buffer in enumerate(buffers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [int(plane.min()) for plane in buffers[0].stack(0, 0)] == list(range(1, 9))
    assert [int(plane.max()) for plane in buffers[0].stack(0, 0)] == list(range(1, 9))
