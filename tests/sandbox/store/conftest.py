# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World, copy_world, make_world


@pytest.fixture(scope="package")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world that every test gets a copy of."""
    made = make_world(tmp_path_factory.mktemp("template"))
    made.database.close()
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """A fresh world for one test."""
    copied = copy_world(template, tmp_path / "world")
    yield copied
    copied.database.close()
