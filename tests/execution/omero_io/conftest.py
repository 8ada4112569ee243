# SPDX-License-Identifier: AGPL-3.0-or-later
"""A lab of its own for each test, on the embedded OMERO that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from omero.gateway import BlitzGateway

from omero_sandbox.testing import RunningSandbox
from openhcs_client import PlateLayout
from openhcs_execution.omero_io import read_layout

from .world import Lab, small_plate


@pytest.fixture
def make_lab(omero_sandbox: RunningSandbox) -> Iterator[Callable[[str], Lab]]:
    labs: list[Lab] = []

    def make(permissions: str = "rwra--") -> Lab:
        labs.append(Lab(omero_sandbox, permissions))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(make_lab: Callable[[str], Lab]) -> Lab:
    """A read-annotate group."""
    return make_lab("rwra--")


@pytest.fixture
def ada(lab: Lab) -> BlitzGateway:
    """A member of the lab, signed in."""
    return lab.person()


@pytest.fixture
def conn(lab: Lab, ada: BlitzGateway) -> Iterator[BlitzGateway]:
    """Ada's session as the service joins it."""
    with lab.joined(ada) as joined:
        yield joined


@pytest.fixture
def plate(ada: BlitzGateway, conn: BlitzGateway) -> PlateLayout:
    """Ada's plate: wells A01 and A02, two fields, two channels, in a screen."""
    return read_layout(conn, small_plate(ada))
