# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command line ``openhcs``: sign in once, then run pipelines and read results.

    openhcs login https://omero.example.org/ --user ada
    openhcs run 51 nuclei-count --wells A01,A02 --set min_area=40 --watch
    openhcs results 3f2a… --level well > wells.csv

Exit codes: 0 done, 1 error, 2 wrong usage, 3 the execution finished with errors or was cancelled, 4 results differ from those
of a passport. Passwords and session keys are asked for or read from standard input; they are never arguments, which other
users of the machine can see.
"""

from __future__ import annotations

import json
import sys
from http.cookiejar import LWPCookieJar
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import _cli_deletion, _cli_passport, _cli_pipelines, _cli_quality, _cli_queue, _cli_report
from ._cli_options import AsJson, read_file, wants_json
from ._console import print_error, print_executions, print_json, print_status, print_table, write_csv
from ._documents import read_document
from ._errors import OpenHCSError
from ._executions import ExecutionStatus, ExecutionStatusName, MeasurementLevel
from ._orchestrator import RemoteOrchestrator
from ._passport import read_passport
from ._pipelines import PipelineDocument
from ._profile import Profile, ProfileStore
from ._queue import RetryWhich
from ._sign_in import sign_out_of_web

__all__ = ["app", "main"]

EXIT_ERROR = 1
EXIT_FINISHED_WITH_ERRORS = 3


class _Commands(TyperGroup):
    """Prints a refusal as a sentence instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OpenHCSError as error:
            print_error(error, as_json=wants_json(ctx))
            raise typer.Exit(EXIT_ERROR) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run OpenHCS pipelines on plates in OMERO.",
)

app.add_typer(_cli_pipelines.app, name="pipelines")
app.add_typer(_cli_queue.app, name="queue")
_cli_quality.add_to(app)
_cli_deletion.add_to(app)
_cli_report.add_to(app)
_cli_passport.add_to(app)

ExecutionId = Annotated[str, typer.Argument(metavar="EXECUTION", help="Execution id.")]


@app.command()
def login(
    url: Annotated[str, typer.Argument(help="Address of OMERO.web, or of an execution service with --service.")],
    user: Annotated[str, typer.Option("--user", "-u", help="OMERO user name; asked for when absent.")] = "",
    server: Annotated[str | None, typer.Option(help="OMERO server, where OMERO.web offers several.")] = None,
    service: Annotated[
        bool, typer.Option("--service", help="The address is an execution service; give an OMERO session.")
    ] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password or session key from standard input.")] = False,
    allow_insecure: Annotated[bool, typer.Option(help="Allow plain HTTP to another machine.")] = False,
) -> None:
    """Sign in to OMERO.web, or to an execution service with the key of an OMERO session."""
    store = ProfileStore()
    if service:
        key = _secret("OMERO session key", stdin)
        with RemoteOrchestrator(base_url=url, omero_session=key, allow_insecure=allow_insecure) as client:
            client.executions(limit=1)  # signs in
            profile = Profile(kind="service", url=client.url, allow_insecure=allow_insecure)
        store.save_service(profile, key)
    else:
        name = user or typer.prompt("OMERO user name", err=True)
        cookies = LWPCookieJar()
        password = _secret(f"Password of {name}", stdin)
        with RemoteOrchestrator.sign_in_to_web(
            url, name, password, server=server, cookies=cookies, allow_insecure=allow_insecure
        ) as client:
            profile = Profile(kind="web", url=client.url, user=name, allow_insecure=allow_insecure)
        store.save_web(profile, cookies)
    print(f"Signed in at {profile.url}", file=sys.stderr)


@app.command()
def logout() -> None:
    """Sign out of OMERO.web and forget the session. Executions go on."""
    store = ProfileStore()
    profile = store.load()
    try:
        if profile.kind == "web":
            sign_out_of_web(profile.url, store.load_cookies())
    finally:
        store.forget()
    print("Signed out", file=sys.stderr)


@app.command()
def functions(
    every: Annotated[bool, typer.Option("--all", help="Also those that are not offered, with the reason.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the functions that pipelines may use."""
    with ProfileStore().connect() as client:
        found = client.functions(offered=not every)
    if as_json:
        print_json(found)
    else:
        print_table(["id", "title", "not offered because"], ((entry.id, entry.title, entry.reason) for entry in found))


@app.command()
def run(
    plate: Annotated[int | None, typer.Argument(help="OMERO id of the plate.")] = None,
    pipeline: Annotated[str | None, typer.Argument(help="Id of a pipeline, or a file with a document (*.json).")] = None,
    passport: Annotated[
        Path | None,
        typer.Option("--from", metavar="PASSPORT", help="Run what a run passport (*.zip) says, instead of PLATE and PIPELINE."),
    ] = None,
    other_plate: Annotated[
        int | None, typer.Option("--plate", help="With --from: the plate; the one in the passport when absent.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="With --from: wait, and compare the results with those of the passport.")
    ] = False,
    wells: Annotated[str | None, typer.Option(help="Wells such as A01,A02; all when absent.")] = None,
    parameters: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter.")] = None,
    version: Annotated[int | None, typer.Option(help="Version of the pipeline; the newest when absent.")] = None,
    test_well: Annotated[str | None, typer.Option(help="Run this well alone and save nothing to OMERO.")] = None,
    saving: Annotated[
        list[str] | None,
        typer.Option("--save", metavar="NAME=VALUE", help="What is saved in OMERO, such as rois=polygons or table=false."),
    ] = None,
    controls_first: Annotated[
        bool, typer.Option("--controls-first", help="Compute the control wells before the others.")
    ] = False,
    pause_below: Annotated[
        float | None, typer.Option(help="Pause when the Z'-factor of --measurement over the controls is below this.")
    ] = None,
    measurement: Annotated[str | None, typer.Option(help="The measurement that --pause-below looks at.")] = None,
    watching: Annotated[bool, typer.Option("--watch", "-w", help="Wait with a progress bar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline on a plate, or what a passport says, and print the execution id."""
    _require_one_source(plate, pipeline, passport, other_plate, compare, version)
    if (pause_below is None) != (measurement is None):
        raise typer.BadParameter("--pause-below and --measurement go together")
    rule = None if measurement is None else {"measurement": measurement, "z_prime_below": pause_below}
    config = {
        "wells": [name.strip() for name in wells.split(",") if name.strip()] if wells else None,
        "parameters": dict(_parameter(text) for text in parameters or ()),
        "version": version,
        "test_well": test_well,
        "saving": dict(_parameter(text, "--save") for text in saving or ()),
        "controls_first": {"futility": rule} if controls_first or rule else None,
    }
    reference = None if passport is None else read_passport(passport)
    with ProfileStore().connect() as client:
        if reference is not None:
            given = {name: value for name, value in config.items() if value is not None}
            execution_id = client.run_passport(reference, other_plate, given)
        else:
            assert plate is not None and pipeline is not None
            execution_id = client.execute_remote(plate_id=plate, pipeline=_pipeline(pipeline), config=config)
        if reference is not None and compare:
            client.wait(execution_id, progress=not as_json and sys.stderr.isatty())
            _cli_passport.compare_with_run(client, reference, execution_id, as_json)
            return
        if not watching:
            if as_json:
                print_json({"execution_id": execution_id})
            else:
                print(execution_id)
            return
        if not as_json:
            print(execution_id)
        _watch(client, execution_id, as_json)


@app.command()
def executions(
    plate: Annotated[int | None, typer.Option(help="Only of this plate.")] = None,
    status: Annotated[ExecutionStatusName | None, typer.Option(help="Only with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List executions, newest first."""
    with ProfileStore().connect() as client:
        page = client.executions(plate=plate, status=status.value if status else None, limit=limit)
    if as_json:
        print_json(page.executions)
    else:
        print_executions(page.executions)


@app.command()
def status(execution: ExecutionId, as_json: AsJson = False) -> None:
    """Print how far an execution is."""
    with ProfileStore().connect() as client:
        _finish(client.status(execution), as_json)


@app.command()
def watch(execution: ExecutionId, as_json: AsJson = False) -> None:
    """Wait for an execution with a progress bar. Ctrl-C stops the waiting, not the execution."""
    with ProfileStore().connect() as client:
        _watch(client, execution, as_json)


@app.command()
def cancel(execution: ExecutionId) -> None:
    """Stop an execution. Wells that are done are kept."""
    with ProfileStore().connect() as client:
        client.cancel(execution)
    print(f"Asked to cancel {execution}", file=sys.stderr)


@app.command()
def pause(execution: ExecutionId) -> None:
    """Begin no further well of an execution. Wells in work are finished."""
    with ProfileStore().connect() as client:
        client.pause(execution)
    print(f"Paused {execution}", file=sys.stderr)


@app.command()
def resume(execution: ExecutionId) -> None:
    """Let a paused execution go on."""
    with ProfileStore().connect() as client:
        client.resume(execution)
    print(f"Resumed {execution}", file=sys.stderr)


@app.command()
def rerun(execution: ExecutionId) -> None:
    """Run the same again as a new execution and print its id."""
    with ProfileStore().connect() as client:
        print(client.rerun(execution).execution_id)


@app.command()
def retry(
    execution: ExecutionId,
    which: Annotated[RetryWhich, typer.Option(help="Only those that failed, or only those that were skipped.")] = "unfinished",
) -> None:
    """Run the failed and skipped wells of an execution again."""
    with ProfileStore().connect() as client:
        client.retry(execution, which=which)
    print(f"Asked to retry {execution}", file=sys.stderr)


@app.command()
def results(
    execution: ExecutionId,
    level: Annotated[MeasurementLevel, typer.Option(help="What a row stands for.")] = MeasurementLevel.WELL,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; standard output when absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the measurements of an execution as CSV; with --json its OMERO ids and measurements."""
    with ProfileStore().connect() as client:
        found = client.results(execution)
        if as_json:
            table = found.measurements(level)
            print_json(
                {
                    "execution_id": execution,
                    "results": found.links.model_dump(mode="json"),
                    "level": table.level.value,
                    "columns": table.columns,
                    "rows": table.rows,
                }
            )
        else:
            write_csv(found.rows(level), output)


def main() -> None:
    """Entry point of the command ``openhcs``."""
    app()


def _require_one_source(
    plate: int | None, pipeline: str | None, passport: Path | None, other: int | None, compare: bool, version: int | None
) -> None:
    """Either a plate and a pipeline, or a passport."""
    if passport is None:
        if plate is None or pipeline is None:
            raise typer.BadParameter("name PLATE and PIPELINE, or a passport with --from")
        if other is not None or compare:
            raise typer.BadParameter("--plate and --compare go with --from")
    elif plate is not None or pipeline is not None or version is not None:
        raise typer.BadParameter("with --from, the passport says what to run; use --plate for another plate")


def _secret(prompt: str, from_stdin: bool) -> str:
    secret = sys.stdin.readline().rstrip("\r\n") if from_stdin else typer.prompt(prompt, hide_input=True, err=True)
    if not secret:
        raise typer.BadParameter("nothing came from standard input" if from_stdin else "it is empty")
    return secret


def _parameter(text: str, option: str = "--set") -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value


def _pipeline(text: str) -> str | PipelineDocument:
    if not text.endswith(".json"):
        return text
    return read_document(read_file(Path(text), "PIPELINE"))


def _watch(client: RemoteOrchestrator, execution_id: str, as_json: bool) -> None:
    try:
        final = client.wait(execution_id, progress=not as_json and sys.stderr.isatty())
    except KeyboardInterrupt:
        print(f"\nStopped watching; {execution_id} goes on.", file=sys.stderr)
        raise typer.Exit(130) from None
    _finish(final, as_json)


def _finish(status: ExecutionStatus, as_json: bool) -> None:
    if as_json:
        print_json(status)
    else:
        print_status(status)
    if status.status.is_final and status.status is not ExecutionStatusName.COMPLETED:
        raise typer.Exit(EXIT_FINISHED_WITH_ERRORS)


if __name__ == "__main__":
    main()
