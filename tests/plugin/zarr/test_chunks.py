# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bytes of chunks, against the arrays they were cut from."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest

from omero_openhcs.omero_access import images
from omero_openhcs.zarr.chunks import ConnectionNeeded, Pyramid, array_of, chunk_bytes
from omero_openhcs.zarr.pyramid import halve_mean

from .memory import MemoryReader, image_info


def noise(*shape: int, dtype: str = "u2", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)


def test_an_edge_chunk_is_padded_with_zeros() -> None:
    pixels = noise(1, 1, 1, 600, 530)
    pyramid, reader = Pyramid("s", image_info(1, pixels)), MemoryReader(pixels)
    chunk = np.frombuffer(chunk_bytes(pyramid, 0, (0, 0, 0, 1, 1), reader), "<u2").reshape(512, 512)
    assert (chunk[:88, :18] == pixels[0, 0, 0, 512:, 512:]).all()
    assert not chunk[88:].any()
    assert not chunk[:, 18:].any()


def test_a_plane_is_read_once_for_all_its_chunks_and_levels() -> None:
    pixels = noise(1, 2, 1, 1100, 1100)
    pyramid, reader = Pyramid("s", image_info(1, pixels)), MemoryReader(pixels)
    for level in range(len(pyramid.level_sizes)):
        chunk_bytes(pyramid, level, (0, 1, 0, 0, 0), reader)
    assert reader.reads == 1
    # What is in memory needs no connection; what is not, says so.
    chunk_bytes(pyramid, 0, (0, 1, 0, 2, 2), None)
    with pytest.raises(ConnectionNeeded):
        chunk_bytes(pyramid, 0, (0, 0, 0, 0, 0), None)


@pytest.mark.parametrize("change", [{"server": "other"}, {"pixels_revision": 2}])
def test_pixels_of_another_server_or_revision_are_other_pixels(change: dict) -> None:
    pixels = noise(1, 1, 1, 64, 64)
    pyramid = Pyramid("s", image_info(1, pixels))
    chunk_bytes(pyramid, 0, (0, 0, 0, 0, 0), MemoryReader(pixels))
    other = replace(pyramid, **change) if "server" in change else replace(pyramid, info=replace(pyramid.info, **change))
    with pytest.raises(ConnectionNeeded):
        chunk_bytes(other, 0, (0, 0, 0, 0, 0), None)


@pytest.mark.parametrize("index", [(0, 0, 0, 1, 0), (0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (0, 0, 0, 0)])
def test_chunks_beyond_the_array_do_not_exist(index: tuple[int, ...]) -> None:
    pixels = noise(1, 1, 1, 64, 64)
    with pytest.raises(IndexError):
        chunk_bytes(Pyramid("s", image_info(1, pixels)), 0, index, MemoryReader(pixels))


def test_labels_travel_as_compressed_int32_whatever_their_type_in_omero() -> None:
    pixels = noise(1, 1, 1, 64, 64, dtype="f8")
    pyramid = Pyramid("s", image_info(1, pixels), object_numbers=True, as_labels=True)
    content = chunk_bytes(pyramid, 0, (0, 0, 0, 0), MemoryReader(pixels))
    assert (np.frombuffer(gzip.decompress(content), "<i4").reshape(64, 64) == pixels[0, 0, 0]).all()
    assert array_of(pyramid, 0).shape == (1, 1, 64, 64)


def test_a_large_plane_is_read_in_tiles_and_its_levels_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "LARGE_PLANE", 1 << 20)
    pixels = noise(1, 1, 1, 1301, 1111)
    pyramid, reader = Pyramid("s", image_info(1, pixels)), MemoryReader(pixels)
    assert pyramid.info.is_large
    reader.whole = pytest.fail  # type: ignore[assignment]
    expected = pixels[0, 0, 0]
    for level, (height, width) in enumerate(pyramid.level_sizes):
        chunks = array_of(pyramid, level).chunks[-2:]
        got = np.block(
            [
                [
                    np.frombuffer(chunk_bytes(pyramid, level, (0, 0, 0, row, column), reader), "<u2").reshape(chunks)
                    for column in range(-(-width // chunks[1]))
                ]
                for row in range(-(-height // chunks[0]))
            ]
        )
        assert (got[:height, :width] == expected).all(), level
        expected = halve_mean(expected)
    assert reader.reads == 9


def test_levels_that_omero_keeps_are_used() -> None:
    full, half = noise(1, 1, 1, 5000, 4000), noise(1, 1, 1, 2500, 2000, seed=1)
    info = image_info(1, full, stored_levels=((5000, 4000), (2500, 2000)))
    reader = MemoryReader(full, stored=(full, half))
    pyramid = Pyramid("s", info)
    assert array_of(pyramid, 1).shape == (1, 1, 1, 2500, 2000)
    info_large = replace(info, dtype=np.dtype("<f8"))
    assert info_large.is_large
    chunk = chunk_bytes(replace(pyramid, info=replace(info, dtype=np.dtype("<f8"))), 1, (0, 0, 0, 2, 1), reader)
    assert (np.frombuffer(chunk, "<f8").reshape(512, 512) == half[0, 0, 0, 1024:1536, 512:1024]).all()
