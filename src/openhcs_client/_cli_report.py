# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs report``: everything about an execution in one HTML file that needs nothing else.

openhcs report 3f2a… -o report.html
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ._profile import ProfileStore

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="Execution id.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Save the report of an execution: plate maps, quality, example fields, failures and how it was made."""
    if output.exists() and not force:
        raise typer.BadParameter(f"{output} exists; --force replaces it", param_hint="--output")
    if not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}", param_hint="--output")
    with ProfileStore().connect() as client:
        content = client.report(execution)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from error
    print(f"Wrote {output}", file=sys.stderr)
