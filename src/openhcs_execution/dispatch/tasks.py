# SPDX-License-Identifier: AGPL-3.0-or-later
"""What crosses Dask, as JSON: a few wells to compute, what happened to them, and how far they are.

Ids, paths and small texts only: pixels stay on the worker, and the OMERO session is encrypted. Results of a worker that does
not see the service's folder follow in pieces (:mod:`.parcels`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from openhcs_client import PipelineDocument, PlateLayout, WellFailure
from openhcs_execution.engine import EngineLine
from openhcs_execution.queue.needs import ANYTHING, Needs

__all__ = ["TOPIC", "Outcome", "ParcelFile", "Progress", "Report", "Said", "WellBatch", "WorkerSettings", "read_report"]

TOPIC = "openhcs-wells"
"""The Dask topic on which workers report."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkerSettings(_Message):
    """What a worker process needs to know once.

    The shared secret of the installation stays with the service. ``session_secret`` is made at each start of the service and
    opens nothing but the session keys in the batches that it sends. ``results`` is the service's folder; a worker that finds
    ``results_mark`` there shares its disk and writes into it.
    """

    scratch: Path
    results: Path
    results_mark: str
    engine_home: Path
    session_secret: SecretStr
    omero_host: str
    omero_port: int
    memory_limit_mb: int | None = None
    repository: Path | None = None
    test_memory_mb: int = 0
    test_images_mb: int = 0
    test_images_minutes: float = 15.0


class WellBatch(_Message):
    """Some wells of one execution, each with the attempt that is asked for.

    ``layout`` holds just these wells. ``sealed_session`` is the key of the job's OMERO session, encrypted for workers;
    ``session_name`` says which one it is, to whoever keeps them.
    """

    batch_id: str
    number: int
    execution_id: str
    document: PipelineDocument
    layout: PlateLayout
    attempts: dict[str, int]
    sealed_session: str
    session_name: str = ""
    time_limit: float
    want_python: bool = False
    needs: Needs = ANYTHING
    test_well: bool = False
    keep_images: bool = False


class Progress(_Message):
    """A well began to be staged (step 0), or entered a step of the pipeline."""

    kind: Literal["progress"] = "progress"
    number: int
    well: str
    attempt: int
    worker: str
    step: int = 0
    step_count: int = 0
    step_name: str = ""


class ParcelFile(_Message):
    """A file of a result bundle that is still with its worker; ``size`` in bytes."""

    name: str = Field(pattern=r"^(result\.json|fields\.parquet|objects\.parquet|(labels|images)/[0-9]{4}\.npy)$")
    size: int = Field(ge=0)


class Outcome(_Message):
    """What became of one attempt at one well.

    ``computed``: its bundle is complete, in the service's folder or (``parcel``) with the worker; the numbers of it are here.
    ``failed``: ``failure`` says why. ``session_lost``, ``omero_unanswered``: it could not be read, for no fault of its own.
    ``engine_lost``: the engine process died under it. ``stopped``: the execution was cancelled or paused.
    """

    kind: Literal["outcome"] = "outcome"
    number: int
    well: str
    attempt: int
    what: Literal["computed", "failed", "session_lost", "omero_unanswered", "engine_lost", "stopped"]
    seconds: float = 0.0
    failure: WellFailure | None = None
    measurements: dict[str, float | None] = Field(default_factory=dict)
    field_rows: int = 0
    object_rows: int = 0
    label_count: int = 0
    versions: dict[str, str] = Field(default_factory=dict)
    python: str | None = None
    session_name: str = ""
    reused_steps: int = 0
    parcel: list[ParcelFile] = Field(default_factory=list)
    gpu: bool = False
    """Whether the worker has a GPU of its own."""
    address: str = ""
    """Of the worker, as Dask knows it."""


class Said(_Message):
    """What the engine said while it computed one attempt at a well."""

    kind: Literal["said"] = "said"
    execution_id: str
    well: str
    attempt: int
    lines: tuple[EngineLine, ...]


Report: TypeAlias = Progress | Said | Outcome

_REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="kind")])


def read_report(text: str) -> Report:
    """Read one of them from its JSON.

    Raises:
        pydantic.ValidationError: when it is none of them.
    """
    return _REPORT.validate_json(text)
