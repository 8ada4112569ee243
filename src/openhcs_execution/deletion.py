# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deleting the results of an execution: first exactly what would go, then, confirmed with the digest of that list, for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from openhcs_client import Claims, DeletionItem, DeletionPlan, KeptItem, OpenHCSError
from openhcs_execution.database import ExecutionRow
from openhcs_execution.omero_io import (
    FoundObject,
    FoundResults,
    close_job_session,
    find_results,
    join_session,
    open_job_session,
    session_user,
)
from openhcs_execution.queue import deletions
from openhcs_execution.queue.audit import Actor
from openhcs_execution.service import Service

__all__ = ["delete_results", "plan_deletion"]

_NAMES = 10
_KEPT = 50

Kind = Literal["plate", "dataset", "image", "table", "annotation", "roi", "figure", "tag"]
_KINDS: dict[str, Kind] = {
    "Plate": "plate",
    "Dataset": "dataset",
    "Image": "image",
    "MapAnnotation": "annotation",
    "FileAnnotation": "annotation",
    "TagAnnotation": "tag",
    "Roi": "roi",
}


def plan_deletion(
    service: Service, claims: Claims, number: int, session_key: str, session_for_job: bool = False
) -> DeletionPlan:
    """What deleting would remove. Nothing is changed; a session that came for it is closed."""
    try:
        with _joined(service, claims, session_key) as conn:
            return _plan(*_find(service, conn, number))
    finally:
        if session_for_job:
            close_job_session(service.omero, session_key)


def delete_results(
    service: Service, claims: Claims, number: int, digest: str, session_key: str, session_for_job: bool = False
) -> None:
    """Have exactly those objects deleted that the plan with this digest lists.

    Raises:
        OpenHCSError: ``plan_changed`` (409) when there are others by now; ``not_finished`` or ``results_deleted`` (409).
    """
    with _joined(service, claims, session_key) as conn:
        execution, found = _find(service, conn, number)
        plan = _plan(execution, found)
        if plan.digest != digest:
            raise OpenHCSError(
                "plan_changed", "The results have changed since you looked. Look at the list again, then confirm.", status=409
            )
        key = session_key
        if not session_for_job:
            group = _group_for(execution, claims, conn)
            key = open_job_session(conn, group, idle_minutes=service.settings.session_idle_minutes)
    try:
        deletions.begin(service.database, number, Actor(claims.user_id, claims.name), service.vault.seal(key), plan.total)
    except BaseException:
        if not session_for_job:
            close_job_session(service.omero, key)
        raise
    service.wake_deleter()


@contextmanager
def _joined(service: Service, claims: Claims, session_key: str) -> Iterator[Any]:
    with join_session(service.omero, session_key) as conn:
        if session_user(conn).user_id != claims.user_id:
            raise OpenHCSError(
                "session_of_another_user", "The OMERO session belongs to another user than the one who asks.", status=403
            )
        yield conn


def _group_for(execution: ExecutionRow, claims: Claims, conn: Any) -> int:
    """The group of the plate, or for an administrator who is no member the group of the session."""
    if any(group.id == execution.group_id for group in claims.groups) or not claims.admin:
        return execution.group_id
    return int(conn.c.sf.getAdminService().getEventContext().groupId)


def _find(service: Service, conn: Any, number: int) -> tuple[ExecutionRow, FoundResults]:
    with service.database.read() as session:
        row = session.get_one(ExecutionRow, number)
    found = find_results(conn, row.execution_id, row.plate_id, row.owner_id, row.results.get("dataset_id"))
    return row, found


def _plan(execution: ExecutionRow, found: FoundResults) -> DeletionPlan:
    by_kind: dict[Kind, list[str]] = {}
    for each in found.objects:
        kind = _kind(each)
        if kind is not None:
            by_kind.setdefault(kind, []).append(each.name)
    ids = sorted((each.kind, each.object_id) for each in found.objects)
    return DeletionPlan(
        execution_id=execution.execution_id,
        items=[DeletionItem(kind=kind, count=len(names), names=names[:_NAMES]) for kind, names in by_kind.items()],
        kept=[KeptItem(kind=each.kind, name=each.name, reason=each.reason) for each in found.kept[:_KEPT]],
        total=len(found.objects),
        digest=hashlib.sha256(repr(ids).encode()).hexdigest(),
    )


def _kind(found: FoundObject) -> Kind | None:
    """How people call it; None for the file of an annotation, which is counted with it."""
    if found.kind == "OriginalFile":
        return "table" if found.name.startswith("openhcs_") and found.name.endswith(".h5") else None
    if found.kind == "FileAnnotation" and found.name.endswith(": measurements"):
        return None  # the table's file is listed
    if found.kind == "FileAnnotation" and ": figure " in found.name:
        return "figure"
    return _KINDS[found.kind]
