# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the embedded OMERO's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omero_sandbox.testing import RunningSandbox

from .people import People, make_people


@pytest.fixture(scope="session")
def people(omero_sandbox: RunningSandbox) -> Iterator[People]:
    """Users in groups of each kind, on the shared sandbox."""
    made = make_people(omero_sandbox)
    try:
        yield made
    finally:
        made.close()
