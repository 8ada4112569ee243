# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measures of the OME-Zarr endpoint for ``bench.py``: the first tile of a large image, and chunks that are in memory.

Everything goes through OMERO.web as it is deployed, over loopback, with the cookie of a browser. The clients run on the same
machine as the servers, so the figures are lower bounds.
"""

from __future__ import annotations

import http.client
import itertools
import statistics
import sys
import threading
import time
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from openhcs_client import RemoteOrchestrator

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["SIDE", "cached_chunks", "cookie_of", "first_tile_seconds", "make_image"]

SIDE = 2048
CHANNELS = 4
CLIENTS = 6
SECONDS = 10.0
ROUNDS = 8
"""So often each chunk is asked for beforehand, so that every web worker has it."""


def make_image(connection: BlitzGateway, number: int) -> int:
    """Save an image of 2048 x 2048 pixels, 16 bit, 4 channels; no two numbers give the same."""
    generator = np.random.default_rng(number)
    planes = (generator.poisson(300, (SIDE, SIDE)).astype("<u2") for _ in range(CHANNELS))
    return int(connection.createImageFromNumpySeq(planes, f"Benchmark {number}", 1, CHANNELS, 1).getId())


def cookie_of(web_url: str, user: str, password: str) -> str:
    """The ``Cookie`` header of a session of OMERO.web."""
    cookies = CookieJar()
    RemoteOrchestrator.sign_in_to_web(web_url, user, password, cookies=cookies).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)


def first_tile_seconds(web_url: str, cookie: str, image_id: int) -> float:
    """Seconds for the metadata and one tile of each channel of an image that nobody has looked at, one after the other."""
    base = f"/openhcs/zarr/0.4/image/{image_id}.zarr"
    started = time.monotonic()
    for key in (".zattrs", "0/.zarray", *(f"0/0/{channel}/0/0/0" for channel in range(CHANNELS))):
        _get(web_url, f"{base}/{key}", cookie)
    return time.monotonic() - started


def cached_chunks(web_url: str, cookie: str, image_id: int, *, etag: bool = False) -> tuple[float, float, float]:
    """Ask for the chunks of an image from several clients at once: requests per second, and milliseconds (median, 95 %).

    ``etag``: as a browser that has the chunk already asks whether it is still the same.
    """
    base = f"/openhcs/zarr/0.4/image/{image_id}.zarr"
    tiles = range(SIDE // 512)
    keys = [f"{base}/0/0/{c}/0/{y}/{x}" for c in range(CHANNELS) for y in tiles for x in tiles]
    tags = {}
    for key in keys * ROUNDS:
        tags[key] = _get(web_url, key, cookie)
    times: list[float] = []
    end = time.monotonic() + SECONDS

    def ask(number: int) -> None:
        for key in itertools.islice(itertools.cycle(keys), number * 7, None):
            started = time.monotonic()
            if started >= end:
                return
            _get(web_url, key, cookie, tags[key] if etag else None)
            times.append(1000 * (time.monotonic() - started))

    began = time.monotonic()
    clients = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    rate = len(times) / (time.monotonic() - began)
    return rate, statistics.median(times), statistics.quantiles(times, n=100)[94]


def _get(web_url: str, path: str, cookie: str, tag: str | None = None) -> str:
    """Ask once and read the answer; returns its ETag. OMERO.web's workers close the connection after every answer."""
    address = urlsplit(web_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("GET", address.path + path, headers={"Cookie": cookie, **({"If-None-Match": tag} if tag else {})})
        answer = connection.getresponse()
        answer.read()
        if answer.status != (304 if tag else 200):
            raise RuntimeError(f"{path} answers {answer.status}")
        return answer.headers["ETag"]
    finally:
        connection.close()


def main() -> int:
    """Measure a stack that is running: ``zarr_bench.py WEB_URL OMERO_PORT USER PASSWORD``."""
    from omero.gateway import BlitzGateway

    web_url, port, user, password = sys.argv[1:5]
    connection = BlitzGateway(user, password, host="127.0.0.1", port=int(port), secure=True)
    if not connection.connect():
        raise RuntimeError("cannot connect to OMERO")
    images = [make_image(connection, number) for number in range(3)]
    connection.close()
    cookie = cookie_of(web_url, user, password)
    print("first tile:", [round(first_tile_seconds(web_url, cookie, image), 3) for image in images], "s")
    for etag in (False, True):
        rate, median, slow = cached_chunks(web_url, cookie, images[0], etag=etag)
        print(f"{'304' if etag else 'chunks'}: {rate:.0f}/s, median {median:.1f} ms, 95 % {slow:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
