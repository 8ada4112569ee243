# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs passport``, ``methods`` and ``compare-passport``, and what ``openhcs run --from`` does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ._cli_options import AsJson
from ._console import print_json, print_table
from ._orchestrator import RemoteOrchestrator
from ._passport import Passport, read_passport
from ._passport_comparison import PassportComparison, compare_passports
from ._profile import ProfileStore

__all__ = ["EXIT_DIFFERENT", "add_to", "compare_with_run", "print_comparison"]

EXIT_DIFFERENT = 4

_SHOWN = 5

ExecutionId = Annotated[str, typer.Argument(metavar="EXECUTION", help="Execution id.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("passport")(_passport)
    app.command("methods")(_methods)
    app.command("compare-passport")(_compare)


def _passport(
    execution: ExecutionId,
    output: Annotated[Path, typer.Option("--output", "-o", help="The zip file to write.")] = Path("passport.zip"),
    labels: Annotated[bool, typer.Option("--labels", help="Also the label images, not only their hashes.")] = False,
) -> None:
    """Write the run passport of an ended execution: an RO-Crate as a zip file."""
    with ProfileStore().connect() as client:
        client.save_passport(execution, output, labels=labels)
    print(f"Wrote {output}", file=sys.stderr)


def _methods(execution: ExecutionId) -> None:
    """Print what an ended execution did, for the methods section of a paper."""
    with ProfileStore().connect() as client:
        print(client.methods(execution).text, end="")


def _compare(
    passport: Annotated[Path, typer.Argument(metavar="PASSPORT", help="The zip file with the results to compare with.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another passport (*.zip), or an execution id.")],
    as_json: AsJson = False,
) -> None:
    """Compare results with those of a passport: exit code 0 when all are the same, 4 when some differ."""
    reference = read_passport(passport)
    if other.endswith(".zip"):
        print_comparison(compare_passports(reference, read_passport(Path(other))), as_json)
        return
    with ProfileStore().connect() as client:
        compare_with_run(client, reference, other, as_json)


def compare_with_run(client: RemoteOrchestrator, reference: Passport, execution_id: str, as_json: bool) -> None:
    """Fetch the passport of an execution, print how it compares, and end with exit code 4 when it differs."""
    with tempfile.TemporaryDirectory(prefix="openhcs-") as folder:
        path = Path(folder) / "passport.zip"
        client.save_passport(execution_id, path)
        print_comparison(compare_passports(reference, read_passport(path)), as_json)


def print_comparison(found: PassportComparison, as_json: bool) -> None:
    """Print it; ends with exit code 4 when results differ."""
    if as_json:
        print_json(found)
    else:
        _print_words(found)
    if not found.same:
        raise typer.Exit(EXIT_DIFFERENT)


def _print_words(found: PassportComparison) -> None:
    if found.same:
        print(f"Same: all measurements and label images of {found.wells} wells are those of the passport.")
    else:
        print(f"Different: {len(found.differences)} of {found.wells} wells have other results.")
    pixels = {
        "same": "the same pixels",
        "different": f"other pixels in {', '.join(found.changed_inputs[:_SHOWN])}",
        "unknown": "not known for all of them: the passport or the run does not tell every hash",
    }
    print(f"Input images: {pixels[found.inputs]}.")
    if not found.pipeline_same:
        print("Pipeline: other steps or values.")
    for title, lines in (("Parameter", found.parameters), ("Software", found.software)):
        for line in lines:
            print(f"{title} {line}.")
    if found.largest_relative_difference is not None:
        print(f"Largest relative difference of a well's measurement: {found.largest_relative_difference:.3g}.")
    if found.differences:
        print_table(["well", "what differs"], ((each.well, _few(each.what)) for each in found.differences))


def _few(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - _SHOWN} more" if len(sentences) > _SHOWN else ""
    return "; ".join(sentences[:_SHOWN]) + more
