# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs-execution pipelines``: look at the folders with the facility's own pipelines before the service does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The facility's own pipelines.")


@app.callback()
def pipelines() -> None:
    """The facility's own pipelines."""


@app.command()
def check(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="Folders to check; those of the setting PIPELINE_FOLDERS when absent."),
    ] = None,
) -> None:
    """Say which files of the folders can be offered, and what is wrong with the others."""
    from openhcs_execution.catalogue import PipelineCatalogue
    from openhcs_execution.settings import Settings

    catalogue = PipelineCatalogue.with_folders(folders or Settings().pipeline_folders)
    offered = sum(summary.origin == "facility" for summary in catalogue.summaries())
    for problem in catalogue.problems:
        typer.echo(problem)
    wrong = len(catalogue.problems)
    typer.echo(f"{_counted(offered, 'pipeline')} can be offered, {_counted(wrong, 'file')} cannot")
    if wrong:
        raise typer.Exit(1)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
