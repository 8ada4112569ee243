# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rendering: windows, families, colours, projections, defaults and thumbnails."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from omero_sandbox.pixels.buffers import OutOfBoundsError, PixelBuffer, PixelShape, pixel_path
from omero_sandbox.pixels.luts import lut_names, lut_table
from omero_sandbox.pixels.rendering import Region, encode_jpeg, packed_argb, project, render, render_plane
from omero_sandbox.pixels.settings import ChannelInfo, ChannelSettings, RenderingSettings, default_settings, type_bounds
from omero_sandbox.pixels.statistics import histogram, min_max
from omero_sandbox.pixels.thumbnails import fit_longest_side, thumbnail, thumbnail_folder

RAMP = np.linspace(0, 1000, 11).reshape(1, 11)


def grey(channel: ChannelSettings, plane: np.ndarray = RAMP, **more: object) -> list[int]:
    settings = RenderingSettings([channel], model="greyscale", **more)  # type: ignore[arg-type]
    return render([plane], settings)[0, :, 0].tolist()


def test_a_linear_window_cuts_at_both_ends() -> None:
    assert grey(ChannelSettings(200, 800)) == [0, 0, 0, 42, 85, 128, 170, 212, 255, 255, 255]


@pytest.mark.parametrize(
    ("family", "formula"),
    [
        ("linear", lambda u, k: u),
        ("polynomial", lambda u, k: u**k),
        ("exponential", lambda u, k: (math.exp(u**k) - 1) / (math.e - 1)),
        ("logarithmic", lambda u, k: math.log(1 + 255 * u) / math.log(256)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint16", "float64"])
def test_families(family: str, formula, dtype: str) -> None:  # type: ignore[no-untyped-def]
    """The table for small integers and the formula for everything else give the same picture."""
    plane = np.tile(np.linspace(0, 1000, 101), (700, 1)).astype(dtype)
    got = grey(ChannelSettings(0, 1000, family=family, coefficient=1.7), plane)
    for index in range(0, 101, 10):
        assert abs(got[index] - 255 * formula(float(plane[0, index]) / 1000, 1.7)) <= 0.51


def test_codomain_and_reverse() -> None:
    assert grey(ChannelSettings(0, 1000), codomain=(50, 150))[::5] == [50, 100, 150]
    assert grey(ChannelSettings(0, 1000, reverse=True), codomain=(50, 150))[::5] == [150, 100, 50]


def test_signed_big_endian_and_small_types() -> None:
    plane = np.tile(np.array([-100, 0, 100], ">i1"), (200, 2))
    assert grey(ChannelSettings(-100, 100), plane)[:3] == [0, 128, 255]
    assert grey(ChannelSettings(0, 1), np.array([[0.0, np.nan, np.inf, -np.inf]])) == [0, 0, 255, 0]
    assert grey(ChannelSettings(0, 5), np.array([[3 + 4j, 0]])) == [255, 0]


def test_colours_add_and_are_cut() -> None:
    full = np.full((1, 1), 100)
    half = np.full((1, 1), 50)
    red = ChannelSettings(0, 100, (255, 0, 0, 255))
    pink = ChannelSettings(0, 100, (255, 128, 0, 255))
    settings = RenderingSettings([red, pink])
    assert render([full, half], settings)[0, 0].tolist() == [255, 64, 0]
    settings.channels[0].active = False
    assert render([full, half], settings)[0, 0].tolist() == [128, 64, 0]
    settings.channels[1].colour = (255, 128, 0, 128)
    assert render([full, full], settings)[0, 0].tolist() == [128, 64, 0]
    settings.channels[1].active = False
    assert render([full, full], settings)[0, 0].tolist() == [0, 0, 0]


def test_greyscale_shows_the_first_active_channel() -> None:
    settings = RenderingSettings(
        [ChannelSettings(0, 100, active=False), ChannelSettings(0, 200, (255, 0, 0, 255)), ChannelSettings(0, 50)],
        model="greyscale",
    )
    picture = render([np.full((1, 1), 100)] * 3, settings)
    assert picture[0, 0].tolist() == [128, 128, 128]


def test_lookup_tables() -> None:
    assert {"grays.lut", "hilo.lut", "red_hot.lut"} <= set(lut_names())
    for name in lut_names():
        table = lut_table(name)
        assert table is not None
        assert table.shape == (256, 3)
        assert table.dtype == np.uint8
    settings = RenderingSettings([ChannelSettings(0, 1000, (0, 255, 0, 255), lut="red_hot.lut")])
    assert render([RAMP], settings)[0, [0, 10]].tolist() == [[0, 0, 0], [255, 255, 255]]
    middle = render([RAMP], settings)[0, 5].tolist()
    assert middle[0] >= 254
    assert max(middle[1:]) <= 2
    settings.channels[0].lut = "../../etc/passwd"  # not in the set: the plain colour
    assert render([RAMP], settings)[0, 10].tolist() == [0, 255, 0]
    spectrum = lut_table("spectrum.lut")
    assert spectrum is not None
    assert spectrum[0].tolist() == [255, 0, 0]
    assert spectrum[86].tolist()[1] >= 250
    assert spectrum[171].tolist()[2] >= 250


@pytest.fixture
def buffer(tmp_path: Path) -> PixelBuffer:
    buffer = PixelBuffer(pixel_path(tmp_path, 1), PixelShape(6, 4, 3, 2), "uint8")
    for c in range(2):
        buffer.write_stack(c, 0, (np.arange(72).reshape(3, 4, 6) + 100 * c) % 256)
    return buffer


@pytest.fixture
def settings() -> RenderingSettings:
    return RenderingSettings(
        [ChannelSettings(0, 255, (255, 0, 0, 255)), ChannelSettings(0, 255, (0, 255, 0, 255))], default_z=1
    )


def test_planes_regions_and_cuts(buffer: PixelBuffer, settings: RenderingSettings) -> None:
    stack = np.arange(72).reshape(3, 4, 6)
    picture = render_plane(buffer, settings, z=2, t=0)
    np.testing.assert_array_equal(picture[..., 0], stack[2])
    np.testing.assert_array_equal(picture[..., 1], stack[2] + 100)
    part = render_plane(buffer, settings, z=2, t=0, region=Region(4, 1, 10, 2))
    np.testing.assert_array_equal(part, picture[1:3, 4:6])
    np.testing.assert_array_equal(render_plane(buffer, settings, z=2, t=0, stride=1), picture[::2, ::2])
    np.testing.assert_array_equal(render_plane(buffer, settings, z=0, t=0, cut="xz", position=3)[..., 0], stack[:, 3, :])
    np.testing.assert_array_equal(render_plane(buffer, settings, z=0, t=0, cut="zy", position=5)[..., 0], stack[:, :, 5].T)
    for bad in (Region(6, 0, 1, 1), Region(0, -1, 1, 1), Region(0, 0, 0, 1)):
        with pytest.raises(OutOfBoundsError):
            render_plane(buffer, settings, z=0, t=0, region=bad)
    for arguments in ({"z": 3, "t": 0}, {"z": 0, "t": 1}, {"z": 0, "t": 0, "cut": "xz", "position": 4}):
        with pytest.raises(OutOfBoundsError):
            render_plane(buffer, settings, **arguments)  # type: ignore[arg-type]


def test_projections(buffer: PixelBuffer, settings: RenderingSettings) -> None:
    stack = np.arange(72).reshape(3, 4, 6)
    for method, expected in (("maximum", stack[2]), ("mean", stack[1]), ("sum", stack.sum(axis=0))):
        picture = project(buffer, settings, t=0, method=method, first=0, last=2)  # type: ignore[arg-type]
        np.testing.assert_array_equal(picture[..., 0], np.minimum(expected, 255))
    picture = project(buffer, settings, t=0, method="sum", first=0, last=2, stepping=2)
    np.testing.assert_array_equal(picture[..., 0], stack[0] + stack[2])
    for first, last in ((0, 3), (2, 1), (-1, 1)):
        with pytest.raises(OutOfBoundsError):
            project(buffer, settings, t=0, method="mean", first=first, last=last)


def test_packed_argb() -> None:
    packed = packed_argb(np.array([[[1, 2, 3], [255, 0, 255]]], np.uint8))
    assert packed.dtype == np.int32
    assert packed.view(np.uint32).tolist() == [0xFF010203, 0xFFFF00FF]


def test_jpeg_quality() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert len(encode_jpeg(picture, 0.2)) < len(encode_jpeg(picture, 0.9))


def test_statistics(buffer: PixelBuffer, tmp_path: Path) -> None:
    assert min_max(buffer, 1) == (100.0, 171.0)
    floats = PixelBuffer(pixel_path(tmp_path, 2), PixelShape(2, 1), "float")
    floats.write_plane(0, 0, 0, np.array([[np.nan, 2.5]]))
    assert min_max(floats, 0) == (2.5, 2.5)
    floats.write_plane(0, 0, 0, np.array([[np.nan, np.inf]]))
    assert min_max(floats, 0) == (0.0, 1.0)
    assert histogram(np.array([0, 1, 2, 3]), 2, (0, 3)) == [2, 2]
    assert histogram(np.array([5, 5]), 3, (5, 5)) == [2, 0, 0]
    with pytest.raises(ValueError, match="bin"):
        histogram(np.array([1]), 0, (0, 1))


def test_default_settings() -> None:
    shape = PixelShape(8, 8, 5, 4)
    chosen = default_settings(
        shape,
        [
            ChannelInfo(emission_nm=461, minimum=10, maximum=500),
            ChannelInfo(emission_nm=509),
            ChannelInfo(emission_nm=610, colour=(1, 2, 3, 255)),
            ChannelInfo(emission_nm=670, minimum=7, maximum=7),
        ],
    )
    assert [channel.colour[:3] for channel in chosen.channels] == [(0, 0, 255), (0, 255, 0), (1, 2, 3), (255, 0, 0)]
    assert [channel.active for channel in chosen.channels] == [True, True, True, False]
    assert (chosen.channels[0].window_start, chosen.channels[0].window_end) == (10, 500)
    assert (chosen.channels[3].window_start, chosen.channels[3].window_end) == (7, 8)
    assert (chosen.default_z, chosen.default_t, chosen.model) == (2, 0, "rgb")
    assert default_settings(PixelShape(8, 8), [ChannelInfo()]).model == "greyscale"
    assert default_settings(PixelShape(8, 8), [ChannelInfo(colour=(0, 0, 255, 255))]).model == "rgb"
    assert [c.colour[:3] for c in default_settings(shape, [ChannelInfo()] * 2).channels] == [(255, 0, 0), (0, 255, 0)]


def test_type_bounds() -> None:
    assert type_bounds("int16") == (-32768, 32767)
    assert type_bounds("uint32") == (0, 2**32 - 1)
    assert type_bounds("float") == (0, 1)


def test_a_copy_is_independent(settings: RenderingSettings) -> None:
    copy = settings.copy()
    assert copy.fingerprint() == settings.fingerprint()
    copy.channels[0].window_end = 3
    assert settings.channels[0].window_end == 255
    assert copy.fingerprint() != settings.fingerprint()


def test_thumbnails_are_cached_and_never_stale(buffer: PixelBuffer, settings: RenderingSettings, tmp_path: Path) -> None:
    cache = thumbnail_folder(tmp_path, 1)
    first = thumbnail(buffer, settings, (3, 2), cache=cache)
    assert Image.open(io.BytesIO(first)).size == (3, 2)
    (kept,) = cache.glob("*.jpg")
    kept.write_bytes(b"from the cache")
    assert thumbnail(buffer, settings, (3, 2), cache=cache) == b"from the cache"
    changed = settings.copy()
    changed.channels[0].active = False
    assert thumbnail(buffer, changed, (3, 2), cache=cache) not in (first, b"from the cache")
    assert thumbnail(buffer, settings, (3, 2), cache=cache, z=0) != b"from the cache"
    buffer.write_plane(1, 0, 0, np.full((4, 6), 255))
    os.utime(buffer.path, ns=(1, 1))  # as if written at another time, however coarse the clock of the file system
    assert thumbnail(buffer, settings, (3, 2), cache=cache) not in (first, b"from the cache")


def test_the_thumbnail_cache_of_an_image_is_bounded(buffer: PixelBuffer, settings: RenderingSettings, tmp_path: Path) -> None:
    cache = thumbnail_folder(tmp_path, 1)
    for side in range(1, 60):
        thumbnail(buffer, settings, (side, side), cache=cache)
    assert len(list(cache.iterdir())) == 32


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (3000, 5)])
def test_thumbnail_sizes_are_bounded(
    buffer: PixelBuffer, settings: RenderingSettings, tmp_path: Path, size: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="pixels on each side"):
        thumbnail(buffer, settings, size, cache=thumbnail_folder(tmp_path, 1))


def test_longest_side(tmp_path: Path) -> None:
    def fit(x: int, y: int, side: int) -> tuple[int, int]:
        return fit_longest_side(PixelBuffer(tmp_path / "1", PixelShape(x, y), "uint8"), side)

    assert fit(200, 100, 96) == (96, 48)
    assert fit(100, 200, 96) == (48, 96)
    assert fit(1000, 1, 96) == (96, 1)
