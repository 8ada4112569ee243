# SPDX-License-Identifier: AGPL-3.0-or-later
"""The wheel as a facility gets it: its base beside OMERO.web in a clean environment, and nothing heavy with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("openhcs", "dask", "distributed", "pandas", "sqlalchemy", "fastapi", "pyarrow", "scipy")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), cwd=REPOSITORY)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with OMERO.web, the locked versions and the wheel's base; returns its Python."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    uv = Path(sys.executable).with_name("uv")
    run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    python = folder / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    copy_ice(site)
    constraints = folder.parent / "constraints.txt"
    locked = (REPOSITORY / "requirements" / "locked.txt").read_text().splitlines()
    constraints.write_text("\n".join(line.split(" ")[0] for line in locked if "==" in line and not line.startswith(" ")))
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", constraints, f"{wheel}[web]")
    return python


def copy_ice(site: Path) -> None:
    """Copy the Ice of the running environment, with its metadata, into another one: it has no wheel on the package index."""
    from importlib.metadata import files

    here = Path(sysconfig.get_path("platlib"))
    tops = {Path(str(file)).parts[0] for file in files("zeroc-ice") or [] if not str(file).startswith("..")}
    assert tops
    for top in tops:
        if (here / top).is_dir():
            shutil.copytree(here / top, site / top, dirs_exist_ok=True)
        else:
            shutil.copy(here / top, site)


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    result = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def test_the_wheel_carries_what_the_pages_need(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "omero_openhcs/config/omero-openhcs.omero" in names
    assert any(name.startswith("omero_openhcs/templates/omero_openhcs/") for name in names)
    manifest = "omero_openhcs/static/omero_openhcs/dist/manifest.json"
    assert manifest in names
    entries = json.loads(zipfile.ZipFile(wheel).read(manifest))
    for entry in entries.values():
        assert f"omero_openhcs/static/omero_openhcs/dist/{entry['file']}" in names
    assert not [name for name in names if name.endswith(".map") or "node_modules" in name]
    assert any(name.startswith("openhcs_execution/pipelines/") and name.endswith(".json") for name in names)
    assert any("alembic" in name or "migrations/" in name for name in names)


def test_the_plugin_starts_beside_omero_web_with_nothing_heavy(clean_environment: Path, tmp_path: Path) -> None:
    names = "from importlib.metadata import distributions; print('\\n'.join(each.name for each in distributions()))"
    installed = {name.lower() for name in run(clean_environment, "-c", names).split()}
    assert "omero-openhcs" in installed
    assert installed.isdisjoint(HEAVY)

    for part in ("etc/grid", "var/log"):
        (tmp_path / part).mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "OMERODIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "omeroweb.settings",
    }
    configure = (
        "from omero.config import ConfigXml; import sys\n"
        "c = ConfigXml(sys.argv[1]); c['omero.web.apps'] = '[\"omero_openhcs\"]'\n"
        "c['omero.web.check_version'] = 'false'; c.close()"
    )
    run(clean_environment, "-c", configure, tmp_path / "etc" / "grid" / "config.xml", env=environment)
    check = (
        "import django, sys; django.setup()\n"
        "from django.test import Client; from django.urls import reverse\n"
        "answer = Client().get(reverse('openhcs_index'))\n"
        "assert answer.status_code == 302, answer.status_code\n"
        "assert '/webclient/login/' in answer['Location'], answer['Location']\n"
        f"heavy = sorted(set({HEAVY!r}) & set(sys.modules)); assert not heavy, heavy\n"
        "print('started')"
    )
    assert "started" in run(clean_environment, "-c", check, env=environment, cwd=tmp_path)
