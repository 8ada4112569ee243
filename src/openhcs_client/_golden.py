# SPDX-License-Identifier: AGPL-3.0-or-later
"""Golden wells: what a run of one measured, compared with what it measured when it was accepted.

A found value agrees with an expected one when::

    |found - expected| <= max(absolute, relative * |expected|)

with the tolerances that the golden well carries for each measurement. *No value* (``None``: nothing could be measured, for
example the mean area of no nuclei) agrees with *no value* only. A measurement that the run does not give at all never agrees;
one that the run gives and the golden well does not expect is ignored, so that a pipeline may learn to measure more.

    >>> golden = GoldenWell(plate_id=51, well="A01", expected=[ExpectedMeasurement(name="nuclei_count", value=200)])
    >>> [difference] = compare_measurements(golden, {"nuclei_count": 203})
    >>> difference.deviation, difference.allowed, difference.agrees
    (3.0, 2.0, False)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from ._executions import ExecutionStatusName, WellExecution, WellState
from ._pipelines import ExpectedMeasurement, GoldenWell, ParameterValue
from ._wells import well_name, well_position

__all__ = [
    "CheckState",
    "GoldenCheck",
    "GoldenQuestion",
    "GoldenRun",
    "GoldenWellCheck",
    "MeasurementDifference",
    "RecordGoldenWell",
    "RecordedMeasurement",
    "SharingCheck",
    "check_golden_well",
    "combined_check",
    "compare_measurements",
    "default_tolerance",
    "not_run",
    "overall_state",
]

DEFAULT_TOLERANCE = 0.01
COUNT_TOLERANCE = 0.02
"""Both relative. A count moves in whole objects: one nucleus at the edge of a threshold is half a per cent of 200."""


class CheckState(StrEnum):
    """What is known about a golden well, or about all of a pipeline's."""

    NO_GOLDEN_WELLS = "no_golden_wells"
    NOT_CHECKED = "not_checked"
    RUNNING = "running"
    NOT_RUN = "not_run"
    DIFFERS = "differs"
    AGREES = "agrees"


class MeasurementDifference(BaseModel):
    """One expected measurement beside the found one. Deviation and allowance are in the unit of the measurement."""

    name: str
    expected: float | None
    found: float | None
    measured: bool = Field(description="False when the run does not give this measurement at all.")
    deviation: float | None = Field(description="abs(found - expected); null where a value is missing.")
    allowed: float | None = Field(description="Largest deviation that agrees; null where no value is expected.")
    agrees: bool


class GoldenRun(BaseModel):
    """A test run of a golden well. ``well`` is the well of that execution; ``versions`` those of the software that ran it."""

    execution_id: str
    status: ExecutionStatusName
    message: str = ""
    well: WellExecution
    versions: dict[str, str] = Field(default_factory=dict)


class GoldenWellCheck(BaseModel):
    """What a golden well measures now. ``differences`` holds every expected measurement, also those that agree."""

    plate_id: int
    plate_name: str | None = Field(default=None, description="Null when it is not known or you may not read the plate.")
    well: str
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    note: str = ""
    state: CheckState
    message: str = Field(default="", description="Why it could not be run.")
    execution_id: str | None = None
    well_id: int | None = Field(default=None, description="OMERO id of the well, once it was run.")
    checked_at: datetime | None = None
    versions: dict[str, str] = Field(default_factory=dict, description="Software that computed it.")
    differences: list[MeasurementDifference] = Field(default_factory=list)


class GoldenCheck(BaseModel):
    """Golden wells run with ``version`` of a pipeline and compared with what version ``expected_by`` expects of them."""

    pipeline_id: str
    version: int
    expected_by: int
    state: CheckState
    wells: list[GoldenWellCheck]


class GoldenQuestion(BaseModel):
    """What is known about these golden wells, run with exactly this version of a pipeline?"""

    model_config = ConfigDict(extra="forbid")

    pipeline_id: str = Field(max_length=200)
    version: int = Field(ge=1)
    pipeline_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    expected_by: int = Field(ge=1)
    golden_wells: list[GoldenWell] = Field(max_length=20)


class RecordedMeasurement(BaseModel):
    """A measurement to expect of a golden well; its value is the measured one. Without ``relative`` the default is taken."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    relative: float | None = Field(default=None, ge=0, le=1)
    absolute: float = Field(default=0.0, ge=0)


class RecordGoldenWell(BaseModel):
    """A well of one of your own executions to expect the same of from now on.

    ``measurements`` absent means all of the well's. ``relative`` replaces the default tolerances (2 % of counts, 1 % of the
    rest) of those that name none. ``copy_pipeline`` allows to save it with a copy of your own where the pipeline is not yours.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    execution_id: str = Field(min_length=1, max_length=64)
    well: str = Field(min_length=2, max_length=6)
    measurements: list[RecordedMeasurement] | None = Field(default=None, min_length=1, max_length=200)
    relative: float | None = Field(default=None, ge=0, le=1)
    note: str = Field(default="", max_length=400)
    copy_pipeline: bool = False


class SharingCheck(BaseModel):
    """What has to be known before a version is shared: its golden wells, and those of the version before it.

    A new version may bring other expectations than the one before; so both count.
    """

    pipeline_id: str
    version: int
    state: CheckState
    checks: list[GoldenCheck]


def compare_measurements(golden: GoldenWell, measurements: Mapping[str, float | None]) -> list[MeasurementDifference]:
    """Compare a well's ``measurements`` with every one that is expected of it, in the order of the golden well."""
    return [_compare(expected, measurements) for expected in golden.expected]


def check_golden_well(golden: GoldenWell, run: GoldenRun | None) -> GoldenWellCheck:
    """Say what ``run``, the newest of this golden well, means; None stands for a golden well that was never run."""
    about = GoldenWellCheck(
        plate_id=golden.plate_id,
        well=well_name(*well_position(golden.well)),
        parameters=golden.parameters,
        note=golden.note,
        state=CheckState.NOT_CHECKED,
    )
    if run is None:
        return about
    known = about.model_copy(
        update={
            "execution_id": run.execution_id,
            "well_id": run.well.well_id,
            "checked_at": run.well.ended_at,
            "versions": run.versions,
        }
    )
    if run.well.state is WellState.DONE:
        differences = compare_measurements(golden, run.well.measurements)
        agrees = all(difference.agrees for difference in differences)
        state = CheckState.AGREES if agrees else CheckState.DIFFERS
        return known.model_copy(update={"state": state, "differences": differences})
    if run.status.is_final:
        failure = run.well.failure.message if run.well.failure is not None else ""
        message = failure or run.message or f"The run is {run.status.value.replace('_', ' ')} and measured nothing."
        return known.model_copy(update={"state": CheckState.NOT_RUN, "message": message})
    return known.model_copy(update={"state": CheckState.RUNNING, "message": run.message})


def not_run(golden: GoldenWell, message: str) -> GoldenWellCheck:
    """A golden well that nobody could or may run, with the reason."""
    return check_golden_well(golden, None).model_copy(update={"state": CheckState.NOT_RUN, "message": message})


def overall_state(states: Iterable[CheckState]) -> CheckState:
    """One word for all golden wells: a check agrees only when every one of them was run and agrees.

    A difference counts first, as it stands whatever else comes; then what still runs, what could not be run, and what was
    never run.
    """
    found = set(states)
    if not found:
        return CheckState.NO_GOLDEN_WELLS
    order = (CheckState.DIFFERS, CheckState.RUNNING, CheckState.NOT_RUN, CheckState.NOT_CHECKED)
    return next((state for state in order if state in found), CheckState.AGREES)


def combined_check(pipeline_id: str, version: int, expected_by: int, wells: list[GoldenWellCheck]) -> GoldenCheck:
    """Put the checks of single wells together."""
    return GoldenCheck(
        pipeline_id=pipeline_id,
        version=version,
        expected_by=expected_by,
        state=overall_state(well.state for well in wells),
        wells=wells,
    )


def default_tolerance(measurement: str) -> float:
    """The relative tolerance of a measurement for which nobody chose one.

    >>> default_tolerance("nuclei_count"), default_tolerance("area")
    (0.02, 0.01)
    """
    return COUNT_TOLERANCE if measurement == "count" or measurement.endswith("_count") else DEFAULT_TOLERANCE


def _compare(expected: ExpectedMeasurement, measurements: Mapping[str, float | None]) -> MeasurementDifference:
    found = measurements.get(expected.name)
    if found is not None and not math.isfinite(found):
        found = None  # what cannot be written as JSON is no value
    measured = expected.name in measurements
    allowed = None if expected.value is None else max(expected.absolute, expected.relative * abs(expected.value))
    deviation = None if expected.value is None or found is None else abs(found - expected.value)
    if deviation is None or allowed is None:
        agrees = measured and found is None and expected.value is None
    else:
        agrees = deviation <= allowed
    return MeasurementDifference(
        name=expected.name,
        expected=expected.value,
        found=found,
        measured=measured,
        deviation=deviation,
        allowed=allowed,
        agrees=agrees,
    )
