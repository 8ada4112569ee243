# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands of ``openhcs pipelines`` that change what is around a pipeline: copy, rename, share, deprecate, delete, import.

A change is based on what the list shows at this moment; when somebody else changes the pipeline in between, it is refused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ._cli_options import AsJson
from ._console import print_json
from ._documents import read_document
from ._errors import OpenHCSError
from ._orchestrator import RemoteOrchestrator
from ._pipelines import PipelineDocument, PipelineSummary
from ._profile import ProfileStore

__all__ = ["add_library_commands"]

PipelineId = Annotated[str, typer.Argument(metavar="PIPELINE", help="Id of a pipeline.")]
GroupId = Annotated[int | None, typer.Option("--group", help="OMERO id of the group to save in; your current one when absent.")]


def add_library_commands(app: typer.Typer) -> None:
    """Add the commands to ``openhcs pipelines``."""
    for command in (copy, rename, share, deprecate, delete):
        app.command()(command)
    app.command("import")(import_file)


def copy(
    pipeline: PipelineId,
    name: Annotated[str | None, typer.Option(help="Name of the copy.")] = None,
    version: Annotated[int | None, typer.Option(help="Version to copy; the newest when absent.")] = None,
    group: GroupId = None,
    as_json: AsJson = False,
) -> None:
    """Make a copy of your own of any pipeline that you can read, and print its id."""
    with ProfileStore().connect() as client:
        made = client.copy_pipeline(pipeline, name=name, version=version, group_id=group)
    print_json(made) if as_json else print(made.id)


def rename(
    pipeline: PipelineId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Tags instead of the present ones; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a pipeline of yours under another name. Its versions stay as they are."""
    with ProfileStore().connect() as client:
        revision = client.pipeline_summary(pipeline).revision
        changed = client.rename_pipeline(pipeline, name, revision=revision, tags=tags)
    _tell(changed, f"Renamed {pipeline} to {changed.name}", as_json)


def share(
    pipeline: PipelineId,
    group: Annotated[int, typer.Argument(metavar="GROUP", help="OMERO id of a group of yours.")],
    although_unchecked: Annotated[
        bool, typer.Option("--although-unchecked", help="Also when its golden wells are not known to agree.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move a pipeline of yours to another group, whose permissions decide who sees it."""
    with ProfileStore().connect() as client:
        revision = client.pipeline_summary(pipeline).revision
        changed = client.share_pipeline(pipeline, group, revision=revision, although_unchecked=although_unchecked)
    alone = "; it is private: nobody else in the group sees it" if changed.private else ""
    _tell(changed, f"{pipeline} is in the group {changed.group}{alone}", as_json)


def deprecate(
    pipeline: PipelineId,
    note: Annotated[str, typer.Option(help="Why, and what to use instead.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Recommend it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hide a pipeline of yours from lists. An exact version can still be run."""
    with ProfileStore().connect() as client:
        revision = client.pipeline_summary(pipeline).revision
        changed = client.deprecate_pipeline(pipeline, revision=revision, note=note, deprecated=not undo)
    _tell(changed, f"{pipeline} is {'deprecated' if changed.deprecated else 'recommended again'}", as_json)


def delete(pipeline: PipelineId, yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False) -> None:
    """Delete a pipeline of yours with all its versions. Runs keep their record."""
    with ProfileStore().connect() as client:
        line = client.pipeline_summary(pipeline)
        if not yes:
            typer.confirm(f"Delete “{line.name}” with {len(line.versions)} version(s)?", abort=True, err=True)
        client.delete_pipeline(pipeline, revision=line.revision)
    print(f"Deleted {pipeline}", file=sys.stderr)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pipeline document (*.json) or an OpenHCS script (*.py).")],
    group: GroupId = None,
    partial: Annotated[bool, typer.Option("--partial", help="Save a script also when not all of it could be read.")] = False,
    as_json: AsJson = False,
) -> None:
    """Save the pipeline in a file as a new one of yours, and print its id. A script is read, never run."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="FILE") from error
    with ProfileStore().connect() as client:
        document = _read_script(client, file, content, partial) if file.suffix == ".py" else read_document(content)
        made = client.import_pipeline(document, group)
    print_json(made) if as_json else print(made.id)


def _read_script(client: RemoteOrchestrator, file: Path, content: bytes, partial: bool) -> PipelineDocument:
    """The document that a script stands for; what became of its lines goes to standard error, as compilers tell it."""
    try:
        source = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not text in UTF-8.", param_hint="FILE") from error
    imported = client.import_python(source, file.stem[:120])
    for note in imported.notes:
        print(f"{file}:{note.line}:{note.column}: {note.severity}: {note.message}", file=sys.stderr)
    if imported.document is None:
        raise OpenHCSError("invalid_pipeline", "No pipeline could be read from the script, so nothing was saved.")
    if imported.field_errors:
        message = "The pipeline in the script has mistakes, so nothing was saved."
        raise OpenHCSError("invalid_pipeline", message, field_errors=imported.field_errors)
    if not imported.complete and not partial:
        message = "Not all of the script could be read, so nothing was saved. With --partial, what was read is saved."
        raise OpenHCSError("partly_read", message)
    return imported.document


def _tell(changed: PipelineSummary, sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(changed)
    else:
        print(sentence, file=sys.stderr)
