# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command line ``omero-sandbox``: reset, and what serve says when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omero_sandbox.cli import app
from omero_sandbox.testing import SandboxError, start_sandbox


def test_reset_empties_a_data_folder_and_leaves_other_files(tmp_path: Path) -> None:
    start_sandbox(tmp_path).stop()
    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(app, ["reset", "--data", str(tmp_path), "--yes"])
    assert result.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_reset_touches_nothing_but_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "pixels").mkdir()
    result = CliRunner().invoke(app, ["reset", "--data", str(tmp_path), "--yes"])
    assert result.exit_code == 1
    assert (tmp_path / "pixels").is_dir()


def test_reset_asks_first(tmp_path: Path) -> None:
    (tmp_path / "omero.sqlite").touch()
    assert CliRunner().invoke(app, ["reset", "--data", str(tmp_path)], input="n\n").exit_code == 1
    assert (tmp_path / "omero.sqlite").exists()


def test_a_port_that_is_taken_is_reported(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SandboxError, match=f"port {taken.getsockname()[1]}"):
            start_sandbox(tmp_path, port=taken.getsockname()[1])


def test_a_data_folder_serves_one_sandbox_at_a_time(tmp_path: Path) -> None:
    sandbox = start_sandbox(tmp_path)
    try:
        with pytest.raises(SandboxError, match="Another sandbox is running"):
            start_sandbox(tmp_path)
        result = CliRunner().invoke(app, ["reset", "--data", str(tmp_path), "--yes"])
        assert result.exit_code == 1
        assert (tmp_path / "omero.sqlite").exists()
        sandbox.kill()
        sandbox.restart()  # a crash does not leave the folder locked
    finally:
        sandbox.stop()
