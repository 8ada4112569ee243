# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs pipelines check``: run the golden wells of a pipeline and print the differences.

Exit codes: 0 every golden well agrees, 1 some differ, 2 some (or all) could not be run and none differs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ._cli_options import AsJson
from ._console import print_error, print_json, print_table
from ._errors import OpenHCSError
from ._golden import CheckState, GoldenCheck, GoldenWellCheck, MeasurementDifference
from ._golden_running import CheckReporter, check_golden_wells
from ._profile import ProfileStore

__all__ = ["EXIT_DIFFERS", "EXIT_NOT_RUN", "check"]

EXIT_DIFFERS = 1
EXIT_NOT_RUN = 2

_STATES = {
    CheckState.AGREES: "agrees",
    CheckState.DIFFERS: "DIFFERS",
    CheckState.NOT_RUN: "could not be run",
    CheckState.RUNNING: "still running",
}


def check(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="Id of a pipeline.")],
    version: Annotated[int | None, typer.Option(help="Version to run; the newest when absent.")] = None,
    expected_by: Annotated[
        int | None, typer.Option(help="Version whose golden wells are run; the same version when absent.")
    ] = None,
    plate: Annotated[list[int] | None, typer.Option(help="Only golden wells on this plate; may be given again.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Print also the measurements that agree.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most; the runs go on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the golden wells of a pipeline and compare what they measure with what is expected."""
    try:
        with ProfileStore().connect() as client, _progress(shown=not as_json and sys.stderr.isatty()) as report:
            found = check_golden_wells(
                client,
                pipeline,
                version=version,
                expected_by=expected_by,
                plates=plate or (),
                timeout=timeout,
                report=report,
            )
    except OpenHCSError as error:
        print_error(error, as_json=as_json)
        raise typer.Exit(EXIT_NOT_RUN) from error
    except KeyboardInterrupt:
        print("\nStopped waiting; the runs go on.", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print_json(found)
    else:
        _print(found, every=every)
    if found.state is not CheckState.AGREES:
        raise typer.Exit(EXIT_DIFFERS if found.state is CheckState.DIFFERS else EXIT_NOT_RUN)


@contextmanager
def _progress(*, shown: bool) -> Iterator[CheckReporter]:
    if not shown:
        yield lambda _over, _total, _text: None
        return
    from ._progress import count_bar  # rich's progress is only loaded when a bar is wanted

    with count_bar("golden wells") as report:
        yield report


def _print(found: GoldenCheck, *, every: bool) -> None:
    if not found.wells:
        print(f"Version {found.expected_by} of {found.pipeline_id} has no golden wells (on these plates).", file=sys.stderr)
        return
    against = "" if found.expected_by == found.version else f", compared with what version {found.expected_by} expects"
    print(f"{found.pipeline_id} version {found.version}{against}")
    for well in found.wells:
        print(f"\n{well.plate_name or 'Plate'} [{well.plate_id}] {well.well}: {_told(well)}")
        rows = [_row(entry) for entry in well.differences if every or not entry.agrees]
        if rows:
            print_table(["measurement", "expected", "found", "deviation", "allowed", ""], rows)


def _told(well: GoldenWellCheck) -> str:
    if well.message:
        return f"{_STATES[well.state]}: {well.message}"
    differing = sum(not entry.agrees for entry in well.differences)
    number = f"{differing} of {len(well.differences)}" if differing else str(len(well.differences))
    return f"{_STATES[well.state]} ({number} measurements)"


def _row(entry: MeasurementDifference) -> tuple[str, ...]:
    found = _number(entry.found) if entry.measured else "not measured"
    verdict = "agrees" if entry.agrees else "differs"
    return entry.name, _number(entry.expected), found, _number(entry.deviation, "–"), _number(entry.allowed, "–"), verdict


def _number(value: float | None, missing: str = "no value") -> str:
    return missing if value is None else f"{value:.6g}"
