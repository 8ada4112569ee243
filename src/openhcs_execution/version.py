# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which software runs, without importing any of it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["VERSION", "installed_version"]


def installed_version(package: str) -> str:
    """The installed version of a package; empty when it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


VERSION = installed_version("omero-openhcs") or "0"
