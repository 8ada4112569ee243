# SPDX-License-Identifier: AGPL-3.0-or-later
"""Loads a built script and its style sheets into a page: ``{% load openhcs_assets %}{% openhcs_asset "viewer" %}``.

The front end is built by Vite into ``static/omero_openhcs/dist``, with a manifest that tells which hashed file an entry has
become. The tag writes the ``<link>`` and ``<script type="module">`` elements for an entry through Django's ``static``, so they
follow ``omero.web.static_url`` and ``omero.web.prefix``. The manifest is read once and again when its file changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

__all__ = ["AssetsMissingError", "EntryFiles", "entry_files", "openhcs_asset", "register"]

register = template.Library()

DIST = "omero_openhcs/dist"
MANIFEST = Path(__file__).parents[1] / "static" / "omero_openhcs" / "dist" / "manifest.json"

_cache: tuple[tuple[Path, int], dict[str, Any]] | None = None


class AssetsMissingError(RuntimeError):
    """The front end has not been built, or has no such entry."""


@dataclass(frozen=True)
class EntryFiles:
    """The files of one entry, as paths relative to the ``dist`` folder."""

    script: str
    styles: tuple[str, ...]
    imports: tuple[str, ...]


def _manifest(path: Path) -> dict[str, Any]:
    global _cache
    try:
        key = (path, path.stat().st_mtime_ns)
        if _cache is None or _cache[0] != key:
            _cache = (key, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise AssetsMissingError(
            f"The front end of omero-openhcs has not been built: {path} cannot be read ({error}). In a checkout run "
            "'npm ci && npm run build' in the folder 'frontend'; an installed package must contain the file."
        ) from error
    return _cache[1]


def entry_files(entry: str, manifest_path: Path | None = None) -> EntryFiles:
    """Return the files of the entry called ``entry``, with those of everything it imports, each once.

    Raises:
        AssetsMissingError: when the manifest cannot be read or has no such entry.
    """
    manifest = _manifest(manifest_path or MANIFEST)
    start = next((key for key, chunk in manifest.items() if chunk.get("isEntry") and chunk.get("name") == entry), None)
    if start is None:
        known = sorted(chunk["name"] for chunk in manifest.values() if chunk.get("isEntry"))
        raise AssetsMissingError(f"The front end has no entry {entry!r}; it has {', '.join(known)}.")
    styles: dict[str, None] = {}
    imports: dict[str, None] = {}
    seen: set[str] = set()

    def visit(key: str) -> None:
        if key in seen:
            return
        seen.add(key)
        chunk = manifest[key]
        # What is imported comes first, so that an importing file's styles win.
        for imported in chunk.get("imports", ()):
            visit(imported)
            imports[manifest[imported]["file"]] = None
        styles.update(dict.fromkeys(chunk.get("css", ())))

    visit(start)
    return EntryFiles(script=manifest[start]["file"], styles=tuple(styles), imports=tuple(imports))


@register.simple_tag
def openhcs_asset(entry: str) -> SafeString:
    """Write the elements that load ``entry``: its style sheets, its imports (so that they load in parallel), its script."""
    files = entry_files(entry)
    styles = format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(f"{DIST}/{name}"),) for name in files.styles))
    imports = format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(f"{DIST}/{name}"),) for name in files.imports)
    )
    script = format_html('<script type="module" src="{}"></script>', static(f"{DIST}/{files.script}"))
    return mark_safe("\n".join(part for part in (styles, imports, script) if part))  # noqa: S308 - parts are escaped
