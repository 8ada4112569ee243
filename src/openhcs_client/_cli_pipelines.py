# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs pipelines``: list pipelines, look at one, bring one in and take one out.

openhcs pipelines                     # the list
openhcs pipelines nuclei-count        # its versions; short for: openhcs pipelines show nuclei-count
openhcs pipelines export nuclei-count --format python
openhcs pipelines check u52-my-nuclei # run its golden wells
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ._answers import version_of
from ._cli_check import check
from ._cli_library import add_library_commands
from ._cli_options import AsJson
from ._console import print_json, print_table
from ._documents import document_schema
from ._profile import ProfileStore

__all__ = ["app"]


class _Pipelines(TyperGroup):
    """Takes a first word that is none of its commands as the id of a pipeline to show."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_Pipelines, invoke_without_command=True, help="List the pipelines, or work with one.")

PipelineId = Annotated[str, typer.Argument(metavar="PIPELINE", help="Id of a pipeline.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output when absent.")]


_SEARCH_HELP = "Words of name, description, owner, steps, functions and tags."


class DocumentFormat(StrEnum):
    """How a pipeline is written to a file."""

    JSON = "json"
    PYTHON = "python"


@app.callback()
def pipelines(
    context: typer.Context,
    search: Annotated[str, typer.Option("--search", "-s", help=_SEARCH_HELP)] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only your own.")] = False,
    deprecated: Annotated[bool, typer.Option("--deprecated", help="Also deprecated ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the pipelines, or work with one. A pipeline's id alone shows its versions."""
    if context.invoked_subcommand is None:
        _print_list(search, mine, deprecated, as_json)


@app.command("list")
def list_pipelines(
    search: Annotated[str, typer.Option("--search", "-s", help=_SEARCH_HELP)] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only your own.")] = False,
    deprecated: Annotated[bool, typer.Option("--deprecated", help="Also deprecated ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the pipelines that you can run."""
    _print_list(search, mine, deprecated, as_json)


def _print_list(search: str, mine: bool, deprecated: bool, as_json: bool) -> None:
    with ProfileStore().connect() as client:
        found = client.pipelines(search, owner="me" if mine else None, deprecated=deprecated)
    if as_json:
        print_json(found)
        return
    print_table(
        ["id", "version", "name", "from", "description"],
        (
            (p.id, p.version, f"{p.name} (deprecated)" if p.deprecated else p.name, p.owner or p.origin, p.description)
            for p in found
        ),
    )


@app.command()
def show(pipeline: PipelineId, as_json: AsJson = False) -> None:
    """Show every version of a pipeline."""
    with ProfileStore().connect() as client:
        versions = client.pipeline(pipeline)
    if as_json:
        print_json(versions)
        return
    print_table(
        ["version", "name", "steps", "parameters"],
        ((entry.version, entry.name, len(entry.steps), ", ".join(p.name for p in entry.parameters)) for entry in versions),
    )


@app.command()
def export(
    pipeline: PipelineId,
    form: Annotated[DocumentFormat, typer.Option("--format", help="The document or Python.")] = DocumentFormat.JSON,
    version: Annotated[int | None, typer.Option(help="Version of the pipeline; the newest when absent.")] = None,
    output: Output = None,
) -> None:
    """Write a pipeline to a file: as JSON, or as Python for OpenHCS on a desktop."""
    with ProfileStore().connect() as client:
        document = version_of(client.pipeline(pipeline), version)
        text = client.render(document) if form is DocumentFormat.PYTHON else document.model_dump_json(indent=2) + "\n"
    _write(text, output)


app.command()(check)
add_library_commands(app)


@app.command()
def schema(output: Output = None) -> None:
    """Write the JSON Schema of pipeline documents. Needs no sign-in."""
    _write(json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n", output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from error
