# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tag that loads built scripts: what it reads from Vite's manifest and what it writes into a page."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from omero_openhcs.templatetags import openhcs_assets
from omero_openhcs.templatetags.openhcs_assets import AssetsMissingError, entry_files, openhcs_asset

MANIFEST = {
    "_shared-1.js": {"file": "assets/shared-1.js", "name": "shared", "css": ["assets/shared-1.css"], "imports": ["_base-1.js"]},
    "_base-1.js": {"file": "assets/base-1.js", "name": "base", "css": ["assets/base-1.css"]},
    "_lazy-1.js": {"file": "assets/lazy-1.js", "name": "lazy", "isDynamicEntry": True, "css": ["assets/lazy-1.css"]},
    "src/viewer/page.ts": {
        "file": "assets/viewer-1.js",
        "name": "viewer",
        "isEntry": True,
        "imports": ["_shared-1.js", "_base-1.js"],
        "dynamicImports": ["_lazy-1.js"],
        "css": ["assets/viewer-1.css"],
    },
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST), "utf-8")
    return path


def test_files_of_an_entry_with_everything_it_imports(manifest: Path) -> None:
    files = entry_files("viewer", manifest)
    assert files.script == "assets/viewer-1.js"
    # The importing file's styles come last, so that they win; what is loaded later is not among them.
    assert files.styles == ("assets/base-1.css", "assets/shared-1.css", "assets/viewer-1.css")
    assert files.imports == ("assets/base-1.js", "assets/shared-1.js")


def test_a_rebuilt_front_end_is_noticed(manifest: Path) -> None:
    assert entry_files("viewer", manifest).script == "assets/viewer-1.js"
    rebuilt = json.loads(json.dumps(MANIFEST).replace("viewer-1.js", "viewer-2.js"))
    manifest.write_text(json.dumps(rebuilt), "utf-8")
    later = manifest.stat().st_mtime_ns + 1_000_000_000
    os.utime(manifest, ns=(later, later))
    assert entry_files("viewer", manifest).script == "assets/viewer-2.js"


def test_a_front_end_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissingError, match="npm ci && npm run build"):
        entry_files("viewer", tmp_path / "manifest.json")


def test_a_damaged_manifest_is_told_the_same_way(manifest: Path) -> None:
    manifest.write_text("{", "utf-8")
    with pytest.raises(AssetsMissingError, match="cannot be read"):
        entry_files("viewer", manifest)


def test_an_unknown_entry_is_named(manifest: Path) -> None:
    with pytest.raises(AssetsMissingError, match="no entry 'shared'; it has viewer"):
        entry_files("shared", manifest)


def test_the_elements_follow_the_static_prefix_and_are_escaped(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openhcs_assets, "MANIFEST", manifest)
    monkeypatch.setattr(openhcs_assets, "static", lambda path: f'/omero/static/"{path}')
    html = openhcs_asset("viewer")
    assert '<script type="module" src="/omero/static/&quot;omero_openhcs/dist/assets/viewer-1.js"></script>' in html
    assert html.count('rel="stylesheet"') == 3
    assert html.count('rel="modulepreload"') == 2
    assert html.index("stylesheet") < html.index("<script")
