# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pytest fixture ``omero_sandbox``: an embedded OMERO that all tests of a session share.

Tests make their own users and groups, with random names, so that they do not meet. Installed with the package.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omero_sandbox.testing import RunningSandbox, start_sandbox

__all__ = ["omero_sandbox"]


@pytest.fixture(scope="session")
def omero_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """An empty embedded OMERO in a process of its own; stopped when the test session ends."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("omero-sandbox"))
    try:
        yield sandbox
    finally:
        sandbox.stop()
