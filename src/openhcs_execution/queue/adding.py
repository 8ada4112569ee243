# SPDX-License-Identifier: AGPL-3.0-or-later
"""Put a checked submission into the queue: all of its rows, or none."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from openhcs_client import (
    ControlsFirst,
    ExecutionStatusName,
    OpenHCSError,
    ParameterValue,
    PipelineDocument,
    PlateLayout,
    SavingOptions,
    WellState,
)
from openhcs_execution.database import Database, ExecutionInput, ExecutionRow, IdempotencyKey, JobSession, WellRow

from .audit import Actor, note
from .controls_first import run_order
from .events import now, record
from .needs import ANYTHING, Needs
from .people import remember_person

__all__ = ["TEST_PRIORITY", "NewExecution", "PriorityClass", "add_execution", "class_of_priority", "find_repeated"]

TEST_PRIORITY = 4
"""Added for a test well, which is somebody waiting in front of a screen: more than any class of users."""


class PriorityClass(IntEnum):
    """Whose executions come first, other things being equal."""

    USER = 0
    POWER_USER = 1
    ADMINISTRATOR = 2


def class_of_priority(priority: int) -> PriorityClass:
    """The class in an execution's ``priority``, whether or not it is a test well."""
    return PriorityClass(max(PriorityClass.USER, min(PriorityClass.ADMINISTRATOR, priority % TEST_PRIORITY)))


@dataclass(frozen=True)
class NewExecution:
    """A submission that was checked against OMERO and the catalogue.

    ``document`` is what was published, ``applied`` the same with the user's ``parameters`` in its steps. ``layout`` is the
    whole plate; ``wells`` are those to compute. ``sealed_session`` is the encrypted key of the job's OMERO session.
    """

    owner_id: int
    owner_name: str
    document: PipelineDocument
    applied: PipelineDocument
    parameters: dict[str, ParameterValue]
    layout: PlateLayout
    wells: Sequence[str]
    sealed_session: str
    test_well: bool = False
    saving: SavingOptions = field(default_factory=SavingOptions)
    controls_first: ControlsFirst | None = None
    priority_class: PriorityClass = PriorityClass.USER
    needs: Needs = ANYTHING
    idempotency_key: str | None = None
    request_hash: str = ""
    mail_to: str = ""
    execution_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def find_repeated(database: Database, owner_id: int, key: str, request_hash: str) -> str | None:
    """Return the execution that this user already submitted with ``key``, if any.

    Raises:
        OpenHCSError: ``idempotency_key_reused``, status 409, when the key came with another request.
    """
    with database.read() as session:
        found = session.execute(
            select(IdempotencyKey.request_hash, ExecutionRow.execution_id)
            .join(ExecutionRow, ExecutionRow.number == IdempotencyKey.execution)
            .where(IdempotencyKey.owner_id == owner_id, IdempotencyKey.key == key)
        ).first()
    if found is None:
        return None
    if found.request_hash != request_hash:
        raise OpenHCSError(
            "idempotency_key_reused", "This Idempotency-Key was already used for a different submission.", status=409
        )
    return str(found.execution_id)


def add_execution(database: Database, new: NewExecution) -> str:
    """Write a new execution in state ``queued`` and return its id.

    When the same user submitted the same key at the same moment, the first submission wins and its id is returned.
    """
    try:
        with database.write() as session:
            remember_person(session, new.owner_id, new.owner_name)
            execution = _execution_row(new)
            session.add(execution)
            session.flush()
            chosen = new.layout.model_copy(update={"wells": tuple(new.layout.well(name) for name in new.wells)})
            session.add(
                ExecutionInput(
                    execution=execution.number,
                    document=new.document.canonical_json(),
                    parameters=dict(new.parameters),
                    applied_document=new.applied.canonical_json(),
                    layout=chosen.model_dump_json(),
                    controls_first=None if new.controls_first is None else new.controls_first.model_dump(mode="json"),
                    versions={},
                    saving=new.saving.model_dump(mode="json"),
                )
            )
            session.add(JobSession(execution=execution.number, sealed_key=new.sealed_session, lost=False, opened_at=now()))
            session.execute(insert(WellRow), _well_rows(execution.number, chosen, new.controls_first))
            if new.idempotency_key is not None:
                session.add(
                    IdempotencyKey(
                        owner_id=new.owner_id,
                        key=new.idempotency_key,
                        request_hash=new.request_hash,
                        execution=execution.number,
                        created_at=now(),
                    )
                )
            note(
                session,
                Actor(new.owner_id, new.owner_name),
                "submit",
                execution.execution_id,
                plate_id=execution.plate_id,
                pipeline=f"{execution.pipeline_id} version {execution.pipeline_version}",
                wells=execution.wells_total,
            )
            record(session, execution, "queued", data={"status": execution.status, "wells_total": execution.wells_total})
    except IntegrityError:
        first = (
            None
            if new.idempotency_key is None
            else find_repeated(database, new.owner_id, new.idempotency_key, new.request_hash)
        )
        if first is None:
            raise
        return first
    return new.execution_id


def _execution_row(new: NewExecution) -> ExecutionRow:
    return ExecutionRow(
        execution_id=new.execution_id,
        plate_id=new.layout.plate_id,
        plate_name=new.layout.name,
        group_id=new.layout.group_id,
        owner_id=new.owner_id,
        owner_name=new.owner_name,
        pipeline_id=new.document.id,
        pipeline_name=new.document.name,
        pipeline_version=new.document.version,
        pipeline_hash=new.document.content_hash(),
        status=ExecutionStatusName.QUEUED,
        message="",
        test_well=new.test_well,
        priority=new.priority_class + (TEST_PRIORITY if new.test_well else 0),
        rows=new.layout.rows,
        columns=new.layout.columns,
        wells_total=len(new.wells),
        wells_waiting=len(new.wells),
        needs=",".join(sorted(new.needs.labels)),
        needs_memory_mb=new.needs.memory_mb,
        last_event=0,
        created_at=now(),
        results={},
        mail_to=new.mail_to,
        futility=_futility_of(new),
    )


def _futility_of(new: NewExecution) -> dict[str, object] | None:
    rule = new.controls_first.futility if new.controls_first else None
    return None if rule is None else rule.model_dump(mode="json")


def _well_rows(number: int, layout: PlateLayout, controls_first: ControlsFirst | None) -> list[dict[str, object]]:
    """One row for each well; ``position`` is the order in which they are given out."""
    wells = run_order(layout.wells, controls_first)
    return [
        {
            "execution": number,
            "well": well.well,
            "position": position,
            "row": well.row,
            "column": well.column,
            "well_id": well.well_id,
            "state": WellState.WAITING.value,
        }
        for position, well in enumerate(wells)
    ]
