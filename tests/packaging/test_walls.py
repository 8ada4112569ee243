# SPDX-License-Identifier: AGPL-3.0-or-later
"""The walls of the house: who may import what. `make lint` checks the walls between packages, this the ones within."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("openhcs_client", "omero_openhcs", "openhcs_execution", "omero_sandbox")

STANDARD = set(sys.stdlib_module_names)

# library -> the only folders that may import it
HOMES = {
    "openhcs": ("openhcs_execution.engine",),
    "polystore": ("openhcs_execution.engine",),
    "arraybridge": ("openhcs_execution.engine",),
    "omero": ("omero_openhcs.omero_access", "openhcs_execution.omero_io", "omero_sandbox"),
    "Ice": ("omero_openhcs.omero_access", "openhcs_execution.omero_io", "omero_sandbox"),
    "django": ("omero_openhcs",),
    "omeroweb": ("omero_openhcs",),
    "sqlalchemy": ("openhcs_execution",),
    "alembic": ("openhcs_execution",),
    "dask": ("openhcs_execution",),
    "distributed": ("openhcs_execution",),
    "fastapi": ("openhcs_execution",),
    "pandas": ("openhcs_execution", "omero_sandbox"),
}


@cache
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True)


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_in_its_home(library: str) -> None:
    graph = import_graph()
    if library not in graph.modules:
        pytest.skip(f"nothing imports {library}")
    importers = graph.find_modules_that_directly_import(library)
    strangers = sorted(
        module for module in importers if not any(module == home or module.startswith(f"{home}.") for home in HOMES[library])
    )
    assert strangers == []


def test_scripts_are_read_without_the_engine() -> None:
    graph = import_graph()
    inside = {module for module in graph.modules if module.startswith("openhcs_execution.python_source")}
    used = {imported for module in inside for imported in graph.find_modules_directly_imported_by(module)} - inside
    assert {module for module in used if not module.startswith(("openhcs_client", "pydantic"))} - STANDARD == set()


def test_the_walls_between_packages_stand() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint_imports, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_a_forbidden_import_is_found(tmp_path: Path) -> None:
    """The check itself can fail: a plugin module that imports OpenHCS is reported."""
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "omero_openhcs" / "views.py").write_text("import openhcs\n")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "omero_openhcs.views -> openhcs" in result.stdout
