# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs quality`` and ``openhcs controls``: how good a plate is, and which of its wells are controls.

openhcs quality 3f2a…
openhcs controls 51                    # what is known
openhcs controls 51 --csv layout.csv   # mark them: well,role,compound,concentration
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ._cli_options import AsJson
from ._console import print_json, print_table
from ._profile import ProfileStore
from ._quality import DriftStatistics, EdgeStatistics, MeasurementQuality, QualityReport

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(quality)
    app.command()(controls)


def quality(
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="Execution id.")],
    measurement: Annotated[str | None, typer.Option(help="Only this measurement; with --json also its B-scores.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print Z'-factor, SSMD, signal window, CVs and effects of place, also while the run goes on."""
    with ProfileStore().connect() as client:
        report = client.quality(execution, measurement=measurement)
    if as_json:
        print_json(report)
        return
    print(
        f"{report.wells_used} of {report.wells_total} wells, "
        f"{report.positive_wells} positive and {report.negative_wells} negative controls"
    )
    columns = ["measurement", "Z'", "robust Z'", "SSMD", "signal window", "CV+ %", "CV- %", "verdict"]
    print_table(columns, (_line(entry) for entry in report.measurements))
    for sentence in _sentences(report):
        print(sentence)


def controls(
    plate: Annotated[int, typer.Argument(help="OMERO id of the plate.")],
    csv: Annotated[Path | None, typer.Option(help="Mark wells by this file: well,role,compound,concentration.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take your own marks away.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print or mark the control wells of a plate."""
    if csv is not None and clear:
        raise typer.BadParameter("give either a file or --clear", param_hint="--csv")
    text = None if csv is None else _text_of(csv)
    with ProfileStore().connect() as client:
        if text is not None or clear:
            known = client.save_controls(plate, csv=text)
        else:
            known = client.controls(plate)
    if as_json:
        print_json(known)
        return
    print_table(
        ["well", "role", "compound", "concentration"],
        ((entry.well, entry.role.value, entry.compound, entry.concentration) for entry in known.wells),
    )
    print(f"source: {known.source}" + (f" ({known.marked_by})" if known.marked_by else ""))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read as text: {error}", param_hint="--csv") from error


def _line(entry: MeasurementQuality) -> list[object]:
    found = entry.controls
    figures = [found.z_prime, found.z_prime_robust, found.ssmd, found.signal_window, found.positive_cv, found.negative_cv]
    return [entry.name, *("–" if value is None else f"{value:.3g}" for value in figures), found.verdict or "–"]


def _sentences(report: QualityReport) -> Iterator[str]:
    """What is to be said besides the figures: why some are missing, effects that were found, images to look at."""
    yield from dict.fromkeys(note for entry in report.measurements for note in entry.controls.notes)
    for entry in report.measurements:
        effects: list[EdgeStatistics | DriftStatistics] = [entry.edge, *entry.drift]
        yield from (f"{entry.name}: {effect.note}" for effect in effects if effect.found)
    for flag in report.flags:
        yield f"{flag.well} field {flag.field}: {flag.message}"
