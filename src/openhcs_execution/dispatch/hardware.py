# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker's machine is, as far as Linux says it."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

from openhcs_execution.engine import Hardware

__all__ = ["this_machine"]


@lru_cache(maxsize=1)
def this_machine() -> Hardware:
    """Processor, cores that this process may use, and memory. What cannot be found out is left empty."""
    return Hardware(
        processor=_processor(),
        architecture=platform.machine(),
        system=platform.system(),
        cores=len(os.sched_getaffinity(0)),
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
