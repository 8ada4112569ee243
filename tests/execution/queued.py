# SPDX-License-Identifier: AGPL-3.0-or-later
"""Executions in a database of their own, without OMERO and without an engine: for tests of the queue and of what reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from openhcs_client import FieldLayout, PipelineDocument, PlateLayout, WellLayout, well_name
from openhcs_execution.database import Database, EventRow, ExecutionRow, WellRow, migrate
from openhcs_execution.queue.adding import NewExecution, add_execution
from openhcs_execution.queue.policy import claim_wells
from openhcs_execution.queue.wells import ComputedWell, Well

DOCUMENT = PipelineDocument.model_validate(
    {"id": "count", "name": "Count", "version": 1, "steps": [{"name": "Count", "function": "openhcs:count"}]}
)


def new_sqlite(folder: Path) -> str:
    """The URL of a new database in an SQLite file."""
    open_database(folder).close()
    return f"sqlite:///{folder / 'execution.db'}"


def open_database(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'execution.db'}")
    migrate(database)
    return database


def plate_layout(wells: int, plate_id: int = 5, group_id: int = 3) -> PlateLayout:
    return PlateLayout(
        plate_id=plate_id,
        name="Plate",
        group_id=group_id,
        owner_id=2,
        rows=max(8, -(-wells // 12)),
        columns=12,
        channels=("DNA",),
        wells=tuple(
            WellLayout(
                well=well_name(number // 12, number % 12),
                well_id=100 + number,
                row=number // 12,
                column=number % 12,
                fields=(FieldLayout(field=1, image_id=1000 + number, size_x=8, size_y=8, pixel_type="uint16"),),
            )
            for number in range(wells)
        ),
    )


def enqueue(
    database: Database,
    wells: int = 3,
    *,
    owner: int = 2,
    test_well: bool = False,
    group: int = 3,
    document: PipelineDocument = DOCUMENT,
    **more,
) -> int:
    """Queue an execution and return its internal number."""
    layout = plate_layout(wells, group_id=group)
    names = [well.well for well in layout.wells]
    execution_id = add_execution(
        database,
        NewExecution(
            owner_id=owner,
            owner_name=f"user {owner}",
            document=document,
            applied=document,
            parameters={},
            layout=layout,
            wells=names[:1] if test_well else names,
            sealed_session="sealed",
            test_well=test_well,
            **more,
        ),
    )
    with database.read() as session:
        return session.scalars(select(ExecutionRow.number).where(ExecutionRow.execution_id == execution_id)).one()


def claim_all(database: Database, slots: int = 100, largest: int = 100) -> list[Well]:
    """Claim whatever waits."""
    claimed = []
    while (batch := claim_wells(database, slots=slots, largest=largest)) is not None:
        claimed += [Well(batch.number, name, attempt) for name, attempt in batch.attempts.items()]
    return claimed


def execution(database: Database, number: int) -> ExecutionRow:
    with database.read() as session:
        return session.get_one(ExecutionRow, number)


def well(database: Database, number: int, name: str) -> WellRow:
    with database.read() as session:
        return session.get_one(WellRow, (number, name))


def states(database: Database, number: int) -> dict[str, str]:
    with database.read() as session:
        rows = session.execute(select(WellRow.well, WellRow.state).where(WellRow.execution == number))
        return dict(rows.tuples().all())


def events(database: Database, number: int) -> list[EventRow]:
    with database.read() as session:
        return list(session.scalars(select(EventRow).where(EventRow.execution == number).order_by(EventRow.sequence)))


def kinds(database: Database, number: int) -> list[str]:
    return [event.kind for event in events(database, number)]


def computed(seconds: float = 1.0, labels: int = 0, *, gpu: bool = False, **measurements: float) -> ComputedWell:
    return ComputedWell(
        seconds=seconds,
        measurements=measurements or {"count": 3.0},
        field_rows=1,
        object_rows=3,
        label_count=labels,
        gpu=gpu,
    )


def assert_consistent(database: Database, numbers: Sequence[int]) -> None:
    """The log has no gap, and the counters are what the wells say."""
    for number in numbers:
        row = execution(database, number)
        assert [event.sequence for event in events(database, number)] == list(range(1, row.last_event + 1))
        found = list(states(database, number).values())
        assert row.wells_completed == found.count("done")
        assert row.wells_failed == found.count("failed")
        assert row.wells_skipped == found.count("skipped")
        with database.read() as session:
            committed = session.scalars(
                select(WellRow.well).where(WellRow.execution == number, WellRow.committed_at.is_not(None))
            ).all()
            outstanding = session.execute(select(WellRow.state, WellRow.claimed).where(WellRow.execution == number)).all()
        assert row.wells_computed == len(committed)
        assert row.wells_claimed == sum(claimed for _state, claimed in outstanding)
        assert row.wells_waiting == sum(state == "waiting" and not claimed for state, claimed in outstanding)
