# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings, and that the administrators' page lists exactly those that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from openhcs_execution.cli import app
from openhcs_execution.secrets import SecretError, SessionVault, load_secret
from openhcs_execution.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "administrators" / "execution-service.md"

DEFAULTS_IN_WORDS = {"data_dir": "`~/.local/share/omero-openhcs/execution`", "workers": "cores, at most 4"}


def table() -> str:
    """The table of settings as the page must have it."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = DEFAULTS_IN_WORDS.get(name) or ("" if field.default in (None, ()) else f"`{field.default}`")
        lines.append(f"| `{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines)


def test_the_page_lists_every_setting() -> None:
    found = re.search(r"<!-- settings: begin -->\n(.*)\n<!-- settings: end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert found[1] == table(), f"docs/administrators/execution-service.md should have:\n{table()}"


def test_a_remote_address_must_be_meant() -> None:
    with pytest.raises(ValidationError, match="ALLOW_REMOTE"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", allow_remote=True).host == "0.0.0.0"
    assert Settings(host="::1").host == "::1"


def test_folders_are_split_as_path_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings().pipeline_folders == ()
    monkeypatch.setenv("OPENHCS_EXECUTION_PIPELINE_FOLDERS", f"{tmp_path}:~/pipelines:")
    assert Settings().pipeline_folders == (tmp_path, Path.home() / "pipelines")


def test_a_wrong_setting_is_named_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENHCS_EXECUTION_WORKERS", "many")
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "OPENHCS_EXECUTION_WORKERS" in result.stderr


def test_the_secret_is_made_once_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    secret = load_secret(path)
    assert len(secret) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_secret(path) == secret
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        load_secret(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(SecretError, match="at least 32"):
        load_secret(path)


def test_sealed_sessions_open_with_their_own_secret_only() -> None:
    vault = SessionVault("a" * 32)
    sealed = vault.seal("0b3e53a6")
    assert "0b3e53a6" not in sealed
    assert sealed != vault.seal("0b3e53a6")
    assert vault.open(sealed) == "0b3e53a6"
    for other, text in ((SessionVault("b" * 32), sealed), (vault, sealed[:-4] + "AAAA")):
        with pytest.raises(SecretError, match="cannot be decrypted"):
            other.open(text)


def test_the_commands_that_only_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENHCS_EXECUTION_DATA_DIR", str(tmp_path))
    assert "OpenHCS 0.8.6" in CliRunner().invoke(app, ["version"]).stdout
    assert "nuclei-count" in CliRunner().invoke(app, ["catalogue", "pipelines"]).stdout
    assert "database at revision 0007" in CliRunner().invoke(app, ["migrate"]).stdout
