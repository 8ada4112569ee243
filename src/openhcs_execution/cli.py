# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``openhcs-execution``: serve, and look at what would be served.

Worker processes import this module again when it was started with ``python -m``; so everything heavy is imported inside the
commands.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from openhcs_execution.cli_hosts import certificates, scheduler, worker
from openhcs_execution.cli_pipelines import app as pipelines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from openhcs_execution.settings import Settings

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The execution service of omero-openhcs."
)
app.add_typer(pipelines, name="pipelines")
app.command()(worker)
app.command()(scheduler)
app.command()(certificates)


catalogue = typer.Typer(no_args_is_help=True, help="The functions and pipelines that the service offers.")
app.add_typer(catalogue, name="catalogue")


@app.command()
def serve() -> None:
    """Run the service until SIGTERM or Ctrl-C. Settings come from OPENHCS_EXECUTION_* variables."""
    from openhcs_execution.database import DatabaseRefused
    from openhcs_execution.secrets import SecretError
    from openhcs_execution.server import run

    try:
        run(_settings())
    except (DatabaseRefused, SecretError) as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"the service cannot start: {error}")


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version (`serve` does so too)."""
    from openhcs_execution.database import Database, DatabaseRefused
    from openhcs_execution.database import migrate as run_migrations

    try:
        database = Database(_settings().database)
        typer.echo(f"database at revision {run_migrations(database)}")
        database.close()
    except DatabaseRefused as error:
        _refuse(str(error))


@catalogue.command("pipelines")
def catalogue_pipelines() -> None:
    """Print the built-in pipelines as JSON."""
    from openhcs_execution.catalogue import PipelineCatalogue

    _print_entries(PipelineCatalogue.packaged().summaries())


@catalogue.command("functions")
def catalogue_functions(
    offered: Annotated[bool, typer.Option("--offered", help="Only those that steps may name.")] = False,
) -> None:
    """Print the functions as JSON, those that are not offered with the reason."""
    from openhcs_execution.catalogue import FunctionCatalogue

    _choose_catalogue()
    _print_entries(FunctionCatalogue.packaged().list(offered_only=offered))


@catalogue.command("show")
def catalogue_show() -> None:
    """Say which catalogue of functions is in use, and whether it was tested with what is installed."""
    from openhcs_execution.engine import catalogue_source

    _choose_catalogue()
    source = catalogue_source()
    typer.echo(f"{source.offered} of {source.functions} functions are offered; catalogue: {source.path}")
    for name, version in source.versions.items():
        typer.echo(f"  tested with {name} {version}")
    for name, (tested, installed) in source.differences.items():
        typer.echo(f"  {name} {installed or '(nothing)'} is installed, not {tested or '(nothing)'}")
    if source.differences:
        typer.echo("Run `openhcs-execution catalogue build` to test the functions with what is installed.")
        raise typer.Exit(1)


@catalogue.command("build")
def catalogue_build(
    only: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Test only functions whose id matches, such as 'skimage:*'.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many functions are tested at the same time.")] = 1,
    output: Annotated[Path | None, typer.Option(help="Where to write; the data folder of the service when left out.")] = None,
    table: Annotated[Path | None, typer.Option(help="Also write the table of the documentation there.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Test again what has been tested before.")] = False,
) -> None:
    """Test every function with the installed versions and write the catalogue; takes about 20 minutes."""
    from openhcs_execution.engine.build import build_catalogue, write_table

    home = _settings().engine_home
    target = output or home / "catalogue.json"
    try:
        counts = build_catalogue(
            target, home, only=only, jobs=jobs, cache=None if again else home / "tested", on_result=_say_tested
        )
    except (RuntimeError, ValueError, OSError) as error:
        _refuse(f"the catalogue could not be built: {error}")
    if table is not None:
        write_table(target, table)
    typer.echo(f"{counts['offered']} of {counts['functions']} functions are offered: {target}")


def _say_tested(entry: Any, tried: dict[str, Any]) -> None:
    typer.echo(f"{entry.info.id}: {tried.get('failed', 'passed')}")


def _choose_catalogue() -> None:
    """Use the catalogue that the service would use."""
    from openhcs_execution.engine import choose_catalogue

    choose_catalogue(_settings().engine_home)


def _print_entries(entries: Iterable[BaseModel]) -> None:
    typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries], indent=2, ensure_ascii=False))


@app.command()
def version() -> None:
    """Print the versions of the service and of OpenHCS."""
    from openhcs_execution.version import VERSION, installed_version

    typer.echo(f"omero-openhcs {VERSION}, OpenHCS {installed_version('openhcs') or 'not installed'}")


def _settings() -> Settings:
    from pydantic import ValidationError

    from openhcs_execution.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"OPENHCS_EXECUTION_{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            if problem["loc"]
            else str(problem["msg"])
            for problem in error.errors()
        ]
        _refuse("\n".join(problems))


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
