# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures that more than one area uses: the whole stack, the browser, and the real screening row."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack import Stack, StackOptions

REPOSITORY = Path(__file__).resolve().parents[1]

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    # Without these Chromium looks up its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that kill for minutes run when they are asked for, by ``-m chaos``, and in no other choice of tests."""
    if "chaos" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Embedded OMERO with the demo data, the execution service and OMERO.web with the plugin, all real, on free ports.

    People and connections of session-wide fixtures may rest for longer than OMERO's ten minutes between two of their tests.
    """
    options = StackOptions(folder=tmp_path_factory.mktemp("stack"), workers=2, web_workers=2, omero_idle_seconds=3 * 3600)
    with Stack(options) as running:
        yield running


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """Use the system's Chromium; it draws WebGL2 in software."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("Chromium is not installed; `make setup` installs it when run as root, otherwise: apt-get install chromium")
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    return {**browser_context_args, "viewport": {"width": 1400, "height": 900}}


@pytest.fixture(scope="session")
def screening_row() -> Path:
    """Folder of the real Transfluor row (24 wells, 3 fields); skipped where it is absent, as it is not part of the project."""
    folder = Path(os.environ.get("OMERO_OPENHCS_ROW") or REPOSITORY.parent / "shared" / "data" / "transfluor-row-o")
    if not any(folder.glob("*.TIF")):
        pytest.skip("the real screening row is not on this machine (set OMERO_OPENHCS_ROW to its folder)")
    return folder
