# SPDX-License-Identifier: AGPL-3.0-or-later
"""OMERO.web as an administrator configures it: the lines that ship with the plugin, written into ``config.xml``."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from servers import StackError

__all__ = ["collect_static", "package_folder", "shipped_config_lines", "write_web_config"]


def shipped_config_lines() -> Iterator[tuple[str, Any]]:
    """Yield ``(key, item)`` of every ``config append`` line in the file that ships with the plugin."""
    path = package_folder("omero_openhcs") / "config" / "omero-openhcs.omero"
    for line in path.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[:3] != ["config", "append", "--"] or len(words) != 5:
            raise StackError(f"{path}: cannot read {line!r}")
        yield words[3], json.loads(words[4])


def write_web_config(home: Path, config: Mapping[str, Any], application: Path, environment: Mapping[str, str]) -> None:
    """Write ``config.xml`` under ``home``; list values are appended to OMERO.web's own defaults, as `omero config append` does.

    `omero config` itself refuses to run as root, as containers and CI machines do.
    """
    from omero.config import ConfigXml  # the script must start without OMERO's libraries, to explain what is missing

    appended = {key: value for key, value in config.items() if isinstance(value, list)}
    defaults = _web_defaults(sorted(appended), home, application, environment)
    path = home / "etc" / "grid" / "config.xml"
    path.unlink(missing_ok=True)
    xml = ConfigXml(str(path))
    try:
        for key, value in config.items():
            xml[key] = json.dumps(defaults[key] + value) if isinstance(value, list) else str(value)
    finally:
        xml.close()


def _web_defaults(keys: Sequence[str], home: Path, application: Path, environment: Mapping[str, str]) -> dict[str, list[Any]]:
    """OMERO.web's default values of the list settings ``keys``, remembered per version of OMERO.web."""
    from importlib.metadata import version

    remembered = home / f"defaults-{version('omero-web')}.json"
    if remembered.exists():
        known = json.loads(remembered.read_text(encoding="utf-8"))
        if set(keys) <= set(known):
            return {key: known[key] for key in keys}
    program = (
        "import json, sys; from omeroweb import settings; m = settings.CUSTOM_SETTINGS_MAPPINGS;"
        "print('DEFAULTS ' + json.dumps({k: (m[k][2](m[k][1]) if k in m else []) for k in sys.argv[1:]}))"
    )
    output = _run([sys.executable, "-c", program, *keys], environment, application)
    line = next(line for line in output.splitlines() if line.startswith("DEFAULTS "))
    remembered.write_text(line.removeprefix("DEFAULTS "), encoding="utf-8")
    return json.loads(line.removeprefix("DEFAULTS "))


def collect_static(home: Path, application: Path, environment: Mapping[str, str]) -> None:
    """Run Django's collectstatic when the plugin's or OMERO.web's files changed since the last time."""
    target = home / "var" / "static"
    stamp = home / "static-stamp"
    state = json.dumps({str(folder): _newest(folder / "static") for folder in (package_folder("omero_openhcs"), application)})
    if target.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    shutil.rmtree(target, ignore_errors=True)
    _run([sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], environment, application)
    stamp.write_text(state, encoding="utf-8")


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.rglob("*")), default=0.0)


def _run(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> str:
    result = subprocess.run(command, env=dict(environment), cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise StackError(f"{shlex.join(command)} failed:\n{result.stdout}\n{result.stderr}")
    return result.stdout


def package_folder(name: str) -> Path:
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"the Python package {name} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
