# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs queue``: what OMERO administrators see and change of the queue. Everybody else is refused.

openhcs queue show
openhcs queue limits --executions-at-once 3 --cpu-hours 40
openhcs queue limits --user 52 --cpu-hours default
openhcs queue drain
openhcs queue audit
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from ._cli_options import AsJson
from ._console import print_json, print_table
from ._profile import ProfileStore
from ._queue import AuditEntry, LimitsChange, PersonLimits, QueueLine, QueueOverview, QueuePersonUsage

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The queue of everybody: places, limits, draining, audit log. For administrators.")

Change = TypeVar("Change", LimitsChange, PersonLimits)

_DEFAULT = "default"
_NUMBER = f"A number, or '{_DEFAULT}' to give the limit back."


@app.command()
def show(as_json: AsJson = False) -> None:
    """Print who is in the queue, why they wait, what everybody used today, and the limits."""
    with ProfileStore().connect() as client:
        overview = client.administration.queue()
    _print_overview(overview, as_json=as_json)


@app.command()
def limits(
    executions_at_once: Annotated[str | None, typer.Option(help=f"Executions of one user in work at a time. {_NUMBER}")] = None,
    cpu_hours: Annotated[str | None, typer.Option(help=f"CPU hours of one user in a day; 0 is no limit. {_NUMBER}")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help=f"Hours on workers with a GPU, likewise. {_NUMBER}")] = None,
    ageing_minutes: Annotated[str | None, typer.Option(help=f"Waiting so long raises the priority by one. {_NUMBER}")] = None,
    user: Annotated[int | None, typer.Option(help="OMERO id of the only user for whom it holds; all when absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change the limits of everybody or of one user, from now on and also after a restart."""
    given = {
        "executions_at_once": executions_at_once,
        "cpu_hours_per_day": cpu_hours,
        "gpu_hours_per_day": gpu_hours,
        "ageing_minutes": ageing_minutes,
    }
    named = {name: None if value == _DEFAULT else value for name, value in given.items() if value is not None}
    if not named:
        raise typer.BadParameter("name at least one limit", param_hint="limits")
    with ProfileStore().connect() as client:
        if user is None:
            overview = client.administration.change_limits(_read(LimitsChange, named))
        else:
            overview = client.administration.change_user_limits(user, _read(PersonLimits, named))
    _print_overview(overview, as_json=as_json)


@app.command()
def drain(as_json: AsJson = False) -> None:
    """Begin no further well and take no submissions; wells that are being computed are finished."""
    with ProfileStore().connect() as client:
        overview = client.administration.drain()
    _print_overview(overview, as_json=as_json)


@app.command()
def undrain(as_json: AsJson = False) -> None:
    """Let the queue go on."""
    with ProfileStore().connect() as client:
        overview = client.administration.undrain()
    _print_overview(overview, as_json=as_json)


@app.command()
def engine(
    address: Annotated[str | None, typer.Argument(help="tls://host:port of a Dask scheduler.", show_default=False)] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Go back to the engine of the service's settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compute with another scheduler from now on, also for runs under way; no well is lost or computed for nothing."""
    if (address is None) != detach:
        raise typer.BadParameter("name an address, or --detach", param_hint="engine")
    with ProfileStore().connect() as client:
        overview = client.administration.detach() if address is None else client.administration.attach(address)
    _print_overview(overview, as_json=as_json)


@app.command()
def audit(
    target: Annotated[str | None, typer.Option(help="Only this: an execution id, 'user 52', or 'queue'.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Entries to print.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Older entries than the last of these; told when there are more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print who did what, newest first."""
    with ProfileStore().connect() as client:
        page = client.administration.audit(target, cursor, limit)
    if as_json:
        print_json(page)
        return
    print_table(["time (UTC)", "by", "did", "to", "details"], map(_audit_row, page.entries))
    if page.next_cursor:
        print(f"There are older entries: --cursor {page.next_cursor}", file=sys.stderr)


def _read(model: type[Change], named: dict[str, Any]) -> Change:
    try:
        return model.model_validate(named)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        hours = {"cpu_hours_per_day": "cpu-hours", "gpu_hours_per_day": "gpu-hours"}
        option = hours.get(str(first["loc"][0]), str(first["loc"][0]).replace("_", "-"))
        message = "there is no such limit of one user" if first["type"] == "extra_forbidden" else first["msg"]
        raise typer.BadParameter(message, param_hint=f"--{option}") from error


def _print_overview(overview: QueueOverview, *, as_json: bool) -> None:
    if as_json:
        print_json(overview)
        return
    if overview.draining:
        print(f"The queue is drained, by {overview.drained_by}: no further well is begun.")
    chosen = overview.limits
    hours = f"{chosen.cpu_hours_per_day:g} CPU hours in a day" if chosen.cpu_hours_per_day else "no limit of CPU hours"
    if chosen.gpu_hours_per_day:
        hours += f", {chosen.gpu_hours_per_day:g} GPU hours"
    print(
        f"{overview.workers} workers ({overview.engine}), {overview.wells_in_work} wells in work. For one user: "
        f"{chosen.executions_at_once} executions at once, {hours}; ageing after {chosen.ageing_minutes:g} minutes."
    )
    print_table(["place", "execution", "by", "plate", "in work", "waiting", "why"], map(_line, overview.executions))
    print_table(
        ["user", "name", "CPU hours today", "wells today", "in work", "waiting", "own limits"], map(_user, overview.people)
    )


def _line(line: QueueLine) -> tuple[object, ...]:
    what = f"{line.plate_name}{' (test well)' if line.test_well else ''}"
    why = line.waiting_reason or line.status
    return (line.queue_position, line.execution_id, line.owner_name, what, line.wells_in_work, line.wells_waiting, why)


def _user(person: QueuePersonUsage) -> tuple[object, ...]:
    own = []
    if person.own_executions_at_once is not None:
        own.append(f"{person.own_executions_at_once} at once")
    if person.own_cpu_hours_per_day is not None:
        own.append(f"{person.own_cpu_hours_per_day:g} CPU hours")
    if person.own_gpu_hours_per_day is not None:
        own.append(f"{person.own_gpu_hours_per_day:g} GPU hours")
    used = f"{person.cpu_hours_today:.2f}" + (f" ({person.gpu_hours_today:.2f} GPU)" if person.gpu_hours_today else "")
    parts = (person.executions_in_work, person.executions_waiting)
    return (person.user_id, person.name, used, person.wells_today, *parts, ", ".join(own))


def _audit_row(entry: AuditEntry) -> tuple[object, ...]:
    details = ", ".join(f"{name} {'default' if value is None else value}" for name, value in entry.details.items())
    return (f"{entry.time:%Y-%m-%d %H:%M:%S}", entry.user_name, entry.action, entry.target, details)
