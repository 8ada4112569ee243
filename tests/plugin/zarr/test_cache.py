# SPDX-License-Identifier: AGPL-3.0-or-later
"""The caches stay within their bounds and forget in the right order."""

from __future__ import annotations

import threading

import numpy as np

from omero_openhcs.zarr.cache import PlaneCache, TimedCache


def plane(size: int) -> np.ndarray:
    return np.zeros(size, "u1")


def test_the_least_recently_used_planes_go_first_and_the_limit_holds() -> None:
    cache = PlaneCache(100)
    for name in "abc":
        cache.put(name, plane(40))
        assert cache.used <= 100
    assert cache.get("a") is None
    assert cache.get("b") is not None
    cache.put("d", plane(40))
    assert cache.get("c") is None
    assert cache.get("b") is not None


def test_putting_again_counts_the_bytes_once() -> None:
    cache = PlaneCache(100)
    for _ in range(5):
        cache.put("a", plane(60))
    assert cache.used == 60


def test_a_plane_larger_than_the_cache_does_not_empty_it() -> None:
    cache = PlaneCache(100)
    cache.put("a", plane(60))
    cache.put("b", plane(101))
    assert cache.get("a") is not None
    assert cache.get("b") is None


def test_remembered_pixels_cannot_be_changed() -> None:
    cache = PlaneCache(100)
    cache.put("a", plane(10))
    found = cache.get("a")
    assert found is not None
    assert not found.flags.writeable


def test_many_threads_keep_the_count_right() -> None:
    cache = PlaneCache(1000)

    def work(seed: int) -> None:
        generator = np.random.default_rng(seed)
        for number in generator.integers(0, 50, 400):
            if cache.get(int(number)) is None:
                cache.put(int(number), plane(int(number) + 1))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = sum(found.nbytes for number in range(50) if (found := cache.get(number)) is not None)
    assert cache.used == held <= 1000


def test_values_are_believed_for_their_time_only() -> None:
    now = [0.0]
    cache: TimedCache[str, int] = TimedCache(60, clock=lambda: now[0])
    cache.put("a", 1)
    now[0] = 59.9
    assert cache.get("a") == 1
    now[0] = 60.0
    assert cache.get("a") is None


def test_of_too_many_values_the_oldest_are_forgotten() -> None:
    cache: TimedCache[int, int] = TimedCache(60, entries=3)
    for number in range(5):
        cache.put(number, number)
    assert [cache.get(number) for number in range(5)] == [None, None, 2, 3, 4]
