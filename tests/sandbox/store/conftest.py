# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh world for one test."""
    made = make_world(tmp_path)
    yield made
    made.database.close()
