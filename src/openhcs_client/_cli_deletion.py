# SPDX-License-Identifier: AGPL-3.0-or-later
"""``openhcs delete-results``: what an execution saved in OMERO, listed first, then deleted."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from ._cli_options import AsJson
from ._console import print_json, print_table
from ._executions import ExecutionDetail
from ._orchestrator import RemoteOrchestrator
from ._profile import ProfileStore
from ._saving import DeletionPlan, DeletionState

__all__ = ["add_to"]

_EVERY = 0.5


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("delete-results")(_delete)


def _delete(
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="Execution id.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete from OMERO what an execution saved. The list comes first; nothing else is touched."""
    with ProfileStore().connect() as client:
        plan = client.deletion_plan(execution)
        if as_json and dry_run:
            print_json(plan)
        elif not as_json:
            _print_plan(plan)
        if dry_run or not plan.total:
            return
        if not yes and not typer.confirm(f"Delete these {plan.total} objects from OMERO?", err=True):
            raise typer.Exit(1)
        ended = _wait(client, client.delete_results(execution, plan.digest))
    if as_json:
        print_json(ended)
    assert ended.deletion is not None
    if ended.deletion.state is DeletionState.FAILED:
        print(ended.deletion.message, file=sys.stderr)
        raise typer.Exit(1)
    print("Deleted", file=sys.stderr)


def _wait(client: RemoteOrchestrator, execution: ExecutionDetail) -> ExecutionDetail:
    while execution.deletion is not None and execution.deletion.state is DeletionState.DELETING:
        time.sleep(_EVERY)
        execution = client.execution(execution.execution_id)
    return execution


def _print_plan(plan: DeletionPlan) -> None:
    if not plan.total:
        print("There is nothing in OMERO to delete.")
    print_table(["kind", "how many", "such as"], ((item.kind, item.count, ", ".join(item.names[:3])) for item in plan.items))
    if plan.kept:
        print("What stays:")
        print_table(["kind", "name", "why"], ((kept.kind, kept.name, kept.reason) for kept in plan.kept))
