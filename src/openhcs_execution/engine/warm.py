# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fill OpenHCS's caches before the first user waits for them: ``python -m openhcs_execution.engine.warm HOME``."""

from __future__ import annotations

import sys
from pathlib import Path

from .process import EngineProcess

__all__ = ["warm"]


def warm(home: Path) -> dict[str, str]:
    """Start an engine once with its caches in ``home`` and return the versions it reports.

    Starting is enough: the child computes a tiny well before it says that it is ready.

    Raises:
        EngineLost: when OpenHCS does not start, with what it said in ``log``.
    """
    with EngineProcess(home) as engine:
        return engine.versions()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m openhcs_execution.engine.warm HOME")
    for name, version in warm(Path(sys.argv[1])).items():
        print(f"{name} {version}")
