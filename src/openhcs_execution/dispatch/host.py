# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker process knows about the host that it runs on, told by whoever started it there.

It comes in one environment variable, because Dask starts the processes: through a nanny on a host of its own, or through a
batch script. Workers of the embedded engine have none; they live in the folders of the service.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from openhcs_execution.version import VERSION

__all__ = ["WorkerHost", "label_of", "resource_of", "resources_of"]

_VARIABLE = "OPENHCS_WORKER_HOST"

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,63}")

MEMORY = "memory_mb"
OURS = f"omero-openhcs-{VERSION}"
"""A resource of Dask that each of our workers has: others, or those of another version, must get no wells."""


class WorkerHost(BaseModel):
    """``scratch`` and ``engine_home`` are on the host's own disk. OMERO may have another address as seen from there.

    ``own_results`` sends results over the connection even where the service's folder can be seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scratch: Path
    engine_home: Path
    labels: tuple[str, ...] = ()
    memory_mb: int | None = Field(default=None, ge=1)
    omero_host: str | None = None
    omero_port: int | None = None
    own_results: bool = False

    def environment(self) -> dict[str, str]:
        """For the processes that are started on the host."""
        return {_VARIABLE: self.model_dump_json()}

    @classmethod
    def of_this_process(cls) -> WorkerHost | None:
        text = os.environ.get(_VARIABLE)
        return None if not text else cls.model_validate_json(text)._expanded()

    def _expanded(self) -> WorkerHost:
        """Folders may name variables of the host, such as the number of a job."""
        scratch, home = (Path(os.path.expandvars(path)) for path in (self.scratch, self.engine_home))
        for folder in (scratch, home):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.model_copy(update={"scratch": scratch, "engine_home": home})


def resource_of(label: str) -> str:
    """The name under which Dask knows a label; its command line splits at ``=``."""
    return "label:" + label.replace("=", ":")


def label_of(resource: str) -> str | None:
    """The label that a resource stands for; None for another resource."""
    kind, colon, name = resource.partition(":")
    return name.replace(":", "=") if kind == "label" and colon else None


def resources_of(labels: tuple[str, ...], memory_mb: int | None) -> dict[str, float]:
    """What a worker says about itself to Dask. It runs one task at a time, so each task finds all of it free."""
    resources = {OURS: 1.0} | {resource_of(label): 1.0 for label in labels}
    if memory_mb is not None:
        resources[MEMORY] = float(memory_mb)
    return resources
