# SPDX-License-Identifier: AGPL-3.0-or-later
"""The environment that OpenHCS runs in: headless, on the CPU, with its caches where we want them."""

from __future__ import annotations

import os
from pathlib import Path

from .catalogue import CATALOGUE_FILE

__all__ = ["engine_environment"]

_INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    CATALOGUE_FILE,
)
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA", "OPENCV")


def engine_environment(home: Path) -> dict[str, str]:
    """The child's environment: nothing of ours that it does not need (secrets live in environments), caches in ``home``.

    One thread per library: workers are as many as there are cores, and more threads only make them wait for each other.
    """
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {f"{library}_NUM_THREADS": "1" for library in _THREADS}
    return environment | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "OPENHCS_CPU_ONLY": "1",
        "OPENHCS_HEADLESS": "1",
        "PYTHONUNBUFFERED": "1",
    }
