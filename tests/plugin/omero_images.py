# SPDX-License-Identifier: AGPL-3.0-or-later
"""Images put into a running stack with plain omero-py, and sessions of OMERO.web over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from scipy import ndimage
from stack import DemoUser, Stack

LABEL_NAMESPACE = "openhcs.org/omero/label/v1"
PROCESSED_NAMESPACE = "openhcs.org/omero/processed/v1"


@dataclass(frozen=True)
class Planted:
    """An image of shape (t, c, z, y, x), and the label image (y, x) that an execution is said to have made of it."""

    image_id: int
    pixels: np.ndarray
    label_image_id: int
    labels: np.ndarray
    execution_id: str


@contextmanager
def omero_of(stack: Stack, user: str) -> Iterator[Any]:
    """A BlitzGateway signed in as a demo user."""
    from omero.gateway import BlitzGateway

    account = stack.users()[user]
    conn = BlitzGateway(account.name, account.password, host="127.0.0.1", port=stack.omero_port, secure=True)
    assert conn.connect()
    try:
        yield conn
    finally:
        conn.close()


@contextmanager
def sign_in(stack: Stack, user: str) -> Iterator[httpx.Client]:
    """A client of OMERO.web, signed in as a browser does it."""
    account = stack.users()[user]
    with httpx.Client(base_url=stack.web_url, timeout=60) as client:
        _log_in(client, account, stack.web_url)
        yield client


def _log_in(client: httpx.Client, account: DemoUser, referrer: str) -> None:
    client.get("/webclient/login/")
    form = {
        "username": account.name,
        "password": account.password,
        "server": 1,
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
    }
    answer = client.post("/webclient/login/", data=form, headers={"Referer": referrer})
    assert answer.status_code == 302, answer.text


def plant_image(conn: Any, name: str, pixels: np.ndarray) -> int:
    """Save an array (t, c, z, y, x) as an image without a plate."""
    t, c, z = pixels.shape[:3]
    planes = (pixels[it, ic, iz] for iz in range(z) for ic in range(c) for it in range(t))
    return int(conn.createImageFromNumpySeq(planes, name, z, c, t).getId())


def say_what_made_it(
    conn: Any, image_id: int, namespace: str, source_image_id: int, execution_id: str, more: Mapping[str, str] | None = None
) -> None:
    """Annotate an image as the execution service does it."""
    from omero.gateway import MapAnnotationWrapper

    annotation = MapAnnotationWrapper(conn)
    annotation.setNs(namespace)
    values = {"execution_id": execution_id, "source_image_id": str(source_image_id), "field": "1", **(more or {})}
    annotation.setValue(list(values.items()))
    annotation.save()
    conn.getObject("Image", image_id).linkAnnotation(annotation)


def plant(conn: Any, name: str, execution_id: str = "exec-1") -> Planted:
    """Save an image of bright discs on a noisy ground, 1300 x 1100, two channels and two sections, and its label image."""
    generator = np.random.default_rng(3)
    centres = [(y, x) for y in range(70, 1100, 130) for x in range(70, 1300, 130)]
    distance = np.ones((1100, 1300))
    distance[tuple(np.array(centres).T)] = 0
    discs = ndimage.distance_transform_edt(distance) < 40
    labels = ndimage.label(discs)[0].astype("<i4")
    ground = generator.poisson(200, (1, 2, 2, 1100, 1300)).astype("<u2")
    pixels = ground.copy()
    # OMERO shows the middle section first, here the second.
    pixels[0, 0, 1][discs] += 3000
    pixels[0, 1, 1, :, 650:] += 1500
    pixels[0, 0, 0, :550] += 2500
    image_id = plant_image(conn, name, pixels)
    label_image_id = plant_image(conn, f"{name} labels", labels[None, None, None])
    say_what_made_it(conn, label_image_id, LABEL_NAMESPACE, image_id, execution_id, {"label": "discs"})
    return Planted(image_id, pixels, label_image_id, labels, execution_id)
