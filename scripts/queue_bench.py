# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measure the queue: no-op wells through dispatcher, Dask and database; a full database that many people look at; claims.

    .venv/bin/python scripts/queue_bench.py             # the figures of the queue alone
    .venv/bin/python scripts/queue_bench.py --only database

The computation of a well is left out here (:class:`NoOpComputer`), and nothing is saved
to OMERO; everything else is what runs in production. The full database has 1,000 waiting, 50 running and some finished
executions of 384 wells each, a million wells together; it is filled by SQL, which takes less time than submitting would.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
from sqlalchemy import func, insert, select, text, true, update

from openhcs_client import ExecutionStatusName, FieldLayout, GroupClaim, PipelineDocument, PlateLayout, WellLayout, well_name
from openhcs_execution.database import Database, ExecutionRow, QueuePerson, WellRow, migrate
from openhcs_execution.dispatch import cluster as cluster_module
from openhcs_execution.dispatch import dispatcher as dispatcher_module
from openhcs_execution.dispatch.worker import EnginePlugin, WellComputer
from openhcs_execution.engine import EngineProgress, EngineResult
from openhcs_execution.queue import wells as queue_wells
from openhcs_execution.queue.adding import NewExecution, add_execution
from openhcs_execution.queue.events import now
from openhcs_execution.queue.policy import claim_batches
from openhcs_execution.queue.wells import ComputedWell, Well
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.secrets import SessionVault
from openhcs_execution.settings import Settings
from openhcs_execution.tokens import issue_token

ROOT = Path(__file__).resolve().parents[1]

WORKERS = min(2, os.cpu_count() or 1)
PEOPLE = 50
WAITING, RUNNING, WELLS_EACH = 1000, 50, 384
WELLS_ALTOGETHER = 1_000_000
POLL_SECONDS = 20.0
FIRST_SECONDS = 4.0
"""Of polling that do not count: a service that has just started imports and connects at its first answers."""
STATUS_EVERY, LIST_EVERY = 1.0, 5.0
COMMITS_PER_SECOND = 20.0
CLAIM_SECONDS = 5.0

DOCUMENT = PipelineDocument.model_validate(
    {"id": "count", "name": "Count", "version": 1, "steps": [{"name": "Count", "function": "openhcs:count"}]}
)


class Notes(Protocol):
    """Takes figures: with an upper bound, or rates with a lower one."""

    def note(self, name: str, value: float, unit: str, target: float | None = None) -> None: ...

    def note_rate(self, name: str, value: float, unit: str, target: float) -> None: ...


def measure(figures: Notes, work: Path, only: str = "") -> None:
    """Measure everything, on SQLite and on PostgreSQL where a server is installed."""
    if only in ("", "noop"):
        for wells, target in ((384, 5.0), (1536, 20.0)):
            figures.note(f"noop_wells_{wells}", seconds_for_noop_wells(work / f"noop-{wells}", wells), "s", target)
    if only == "noop":
        return
    full_database(figures, work / "sqlite", f"sqlite:///{work / 'sqlite' / 'execution.db'}", "sqlite", 1000.0)
    with postgresql() as url:
        if url is None:
            print("-- PostgreSQL is not installed: nothing was measured on it")
        else:
            full_database(figures, work / "postgresql", url, "postgresql", 100.0)


# ----------------------------------------------------------------- no-op wells


class NoOpComputer(WellComputer):
    """A worker that reads no images and computes nothing, but reports and writes a bundle like any other."""

    def warm_up(self) -> None:
        """There is no engine."""

    def _stage(self, work: Any, well: str) -> None:
        work.progress(well)

    def _run_engine(self, work: Any, well: str) -> tuple[EngineResult, str | None]:
        work.progress(well, EngineProgress(step=1, step_count=1, step_name="Nothing"))
        return EngineResult(well=well, seconds=0.0, well_measurements={"count": 1.0}, versions={"openhcs": "0"}), None


class NoOpPlugin(EnginePlugin):
    """Gives workers a :class:`NoOpComputer`."""

    async def setup(self, worker: Any) -> None:
        computer = NoOpComputer(self._settings, f"worker-{worker.name}", worker.address)
        worker.openhcs_computer = computer


def seconds_for_noop_wells(folder: Path, wells: int) -> float:
    """Seconds from the submission until the last well is committed, with warm workers."""
    settings = Settings(data_dir=folder, workers=WORKERS)
    for each in (folder, settings.scratch, settings.results):
        each.mkdir(parents=True)
    vault = SessionVault("a secret of thirty-two and more characters")
    database = Database(settings.database)
    migrate(database)
    real, cluster_module.EnginePlugin = cluster_module.EnginePlugin, NoOpPlugin  # type: ignore[misc]
    dispatcher = dispatcher_module.Dispatcher(database, ResultStore(settings.results), settings, vault)
    try:
        dispatcher.start()
        dispatcher.wait_until_ready()
        seconds = []
        for number_of_wells in (8, wells):  # the first is a warm-up: modules are imported
            begun = time.monotonic()
            submit(database, number_of_wells, session=vault.seal("no session is needed"))
            dispatcher.wake()
            while _status(database) in (ExecutionStatusName.QUEUED, ExecutionStatusName.RUNNING):
                time.sleep(0.02)
            seconds.append(time.monotonic() - begun)
        return seconds[-1]
    finally:
        dispatcher.stop()
        database.close()
        cluster_module.EnginePlugin = real  # type: ignore[misc]


def _status(database: Database) -> str:
    """Of the newest execution."""
    with database.read() as session:
        return session.scalars(select(ExecutionRow.status).order_by(ExecutionRow.number.desc()).limit(1)).one()


def plate(wells: int) -> PlateLayout:
    """A plate of 32 x 48 wells, the first ``wells`` of which have an image."""
    return PlateLayout(
        plate_id=5,
        name="Plate",
        group_id=3,
        owner_id=2,
        rows=32,
        columns=48,
        channels=("DNA",),
        wells=tuple(
            WellLayout(
                well=well_name(number // 48, number % 48),
                well_id=100 + number,
                row=number // 48,
                column=number % 48,
                fields=(FieldLayout(field=1, image_id=10_000 + number, size_x=8, size_y=8, pixel_type="uint16"),),
            )
            for number in range(wells)
        ),
    )


def submit(database: Database, wells: int, owner: int = 2, session: str = "sealed") -> str:
    layout = plate(wells)
    return add_execution(
        database,
        NewExecution(
            owner_id=owner,
            owner_name=f"user {owner}",
            document=DOCUMENT,
            applied=DOCUMENT,
            parameters={},
            layout=layout,
            wells=[well.well for well in layout.wells],
            sealed_session=session,
            test_well=False,
        ),
    )


# ----------------------------------------------------------------- a full database


def full_database(figures: Notes, folder: Path, url: str, kind: str, claims_target: float) -> None:
    """Fill a database, let people look at it, and claim from it."""
    folder.mkdir(parents=True)
    database = Database(url)
    try:
        migrate(database)
        begun = time.monotonic()
        total = fill(database)
        print(f"-- {kind}: {total:,} wells in {time.monotonic() - begun:.0f} s")
    finally:
        database.close()
    with serving(folder, url) as (address, secret):
        status, lists = poll(address, secret, url)
    figures.note(f"list_p95_50_users_{kind}", percentile(lists, 95), "ms", 100)
    figures.note(f"status_p95_50_users_{kind}", percentile(status, 95), "ms", 30)
    figures.note(f"status_median_50_users_{kind}", percentile(status, 50), "ms")
    figures.note_rate(f"claims_per_second_{kind}", claims_per_second(url), "1/s", claims_target)
    figures.note(f"claims_one_by_one_per_second_{kind}", claims_per_second(url, places=1), "1/s")


def fill(database: Database) -> int:
    """A thousand waiting executions, fifty running, and finished ones until there are a million wells; returns how many."""
    with database.write() as session:
        session.execute(insert(QueuePerson), [{"owner_id": 100 + user, "name": f"user {user}"} for user in range(PEOPLE)])
    submit(database, WELLS_EACH, owner=100)  # the template that is copied
    finished = -(-WELLS_ALTOGETHER // WELLS_EACH) - WAITING - RUNNING
    with database.write() as session:
        template = session.scalars(select(ExecutionRow)).one()
        values = {column.key: getattr(template, column.key) for column in ExecutionRow.__mapper__.columns}
        rows = []
        for number in range(2, finished + RUNNING + WAITING + 1):
            owner = 100 + number % PEOPLE
            row = {**values, "number": number, "execution_id": f"bench-{number}", "owner_id": owner, "last_event": 0}
            row |= {"owner_name": f"user {owner}", "group_id": 3 + number % 10, "created_at": now() - timedelta(days=1)}
            rows.append(row | _state(number, finished))
        session.execute(insert(ExecutionRow), rows)
        session.execute(
            text(
                "insert into execution_inputs (execution, document, parameters, applied_document, layout, versions) "
                "select e.number, i.document, i.parameters, i.applied_document, i.layout, i.versions "
                "from executions e cross join execution_inputs i where i.execution = 1 and e.number > 1"
            )
        )
        columns = [column for column in WellRow.__table__.columns if column.name != "execution"]
        copied = select(ExecutionRow.number, *columns).where(WellRow.execution == 1, ExecutionRow.number > 1)
        names = ["execution", *(column.name for column in columns)]
        session.execute(insert(WellRow).from_select(names, copied.select_from(ExecutionRow).join(WellRow, true())))
        done = {"state": "done", "attempt": 1, "committed_at": now(), "seconds": 5.0}
        session.execute(update(WellRow).where(WellRow.execution.between(2, finished)).values(done))
        # Of a running one half of the wells are done, and four are in work.
        running = WellRow.execution.between(finished + 1, finished + RUNNING)
        half = WELLS_EACH // 2
        session.execute(update(WellRow).where(running, WellRow.position < half).values(done))
        in_work = {"claimed": True, "attempt": 1, "state": "running", "worker": "bench"}
        session.execute(update(WellRow).where(running, WellRow.position.between(half, half + 3)).values(in_work))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")
    with database.read() as session:
        return int(session.scalar(select(func.count()).select_from(WellRow)) or 0)


def _state(number: int, finished: int) -> dict[str, Any]:
    half = WELLS_EACH // 2
    if number <= finished:
        done = {"wells_computed": WELLS_EACH, "wells_completed": WELLS_EACH, "wells_waiting": 0}
        return {"status": ExecutionStatusName.COMPLETED, "started_at": now(), "ended_at": now(), **done}
    if number <= finished + RUNNING:
        counted = {"wells_computed": half, "wells_completed": half, "wells_claimed": 4, "wells_waiting": WELLS_EACH - half - 4}
        timed = {"seconds_total": 5.0 * half, "last_commit_at": now(), "started_at": now()}
        return {"status": ExecutionStatusName.RUNNING, **counted, **timed}
    return {"status": ExecutionStatusName.QUEUED}


@contextmanager
def serving(folder: Path, url: str) -> Iterator[tuple[str, str]]:
    """The service's API in a process of its own, without workers; a thread of it commits wells meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(folder), "--url", url, "--port", str(port)]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - the command is ours
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                httpx.get(f"{address}/healthz", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None:
                    raise RuntimeError((folder / "serve.log").read_text()) from None
                time.sleep(0.1)
        yield address, (folder / "secret").read_text(encoding="utf-8").strip()
    finally:
        process.terminate()
        process.wait(30)


def serve(folder: Path, url: str, port: int) -> None:
    """What :func:`serving` starts."""
    import uvicorn

    from openhcs_execution.api.app import create_app
    from openhcs_execution.logging import configure_logging
    from openhcs_execution.server import settle_garbage_collection
    from openhcs_execution.service import Service

    sys.setswitchinterval(0.001)  # as the service itself does
    configure_logging("WARNING", "console")
    service = Service(Settings(data_dir=folder, database_url=url, workers=RUNNING, port=port))
    threading.Thread(target=_commit, args=(service.database,), daemon=True).start()
    settle_garbage_collection()
    uvicorn.run(create_app(service), host="127.0.0.1", port=port, log_config=None, access_log=False)


def _commit(database: Database) -> None:
    """Commit twenty wells a second and hand out as many, in tasks as the dispatcher does: what fifty workers with short wells
    would do."""
    in_work: deque[list[Well]] = deque()
    with database.read() as session:
        found = session.execute(select(WellRow.execution, WellRow.well, WellRow.attempt).where(WellRow.claimed.is_(True)))
        in_work.extend([Well(*row)] for row in found)
    while True:
        begun = time.monotonic()
        task = in_work.popleft()
        queue_wells.commit_well(database, task.pop(0), ComputedWell(5.0, {"count": 1.0}, 1, 1, 0))
        if task:
            in_work.append(task)
        else:
            for batch in claim_batches(database, places=1, slots=RUNNING, largest=8):
                in_work.append([Well(batch.number, name, attempt) for name, attempt in batch.attempts.items()])
        queue_wells.well_staging(database, in_work[-1][0], "bench")
        time.sleep(max(0.0, 1 / COMMITS_PER_SECOND - (time.monotonic() - begun)))


def poll(address: str, secret: str, url: str) -> tuple[list[float], list[float]]:
    """Fifty people: each asks for the status of a running execution once a second and for the list every five seconds.
    Returns the answer times of both in milliseconds."""
    database = Database(url)
    with database.read() as session:
        rows = session.execute(
            select(ExecutionRow.execution_id, ExecutionRow.owner_id).where(ExecutionRow.status == ExecutionStatusName.RUNNING)
        ).all()
    database.close()
    status: list[float] = []
    lists: list[float] = []
    count_from = time.monotonic() + FIRST_SECONDS
    stop = count_from + POLL_SECONDS

    def ask(http: httpx.Client, path: str, times: list[float]) -> None:
        begun = time.monotonic()
        http.get(path).raise_for_status()
        if begun >= count_from:
            times.append(1000 * (time.monotonic() - begun))

    def person(number: int, execution_id: str, owner: int) -> None:
        groups = [GroupClaim(id=3 + owner % 10, reads_all=True)]
        token = issue_token(secret, user_id=owner, name=f"user {owner}", admin=False, groups=groups)
        with httpx.Client(base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
            due, list_due = time.monotonic() + number * STATUS_EVERY / PEOPLE, time.monotonic() + number * LIST_EVERY / PEOPLE
            while time.monotonic() < stop:
                time.sleep(max(0.0, min(due, list_due) - time.monotonic()))
                if due <= list_due:
                    due += STATUS_EVERY
                    ask(http, f"/executions/{execution_id}/status/", status)
                else:
                    list_due += LIST_EVERY
                    ask(http, "/executions/", lists)

    people = [threading.Thread(target=person, args=(number, *row)) for number, row in enumerate(rows)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    return status, lists


def claims_per_second(url: str, places: int = 2 * RUNNING) -> float:
    """Tasks claimed in a second, up to four wells each, with limits per user, fair share and ageing.

    ``places`` are claimed at a time, as the dispatcher fills its window. What was claimed is put back in between, uncounted.
    """
    database = Database(url)
    with database.write() as session:
        # Half of the queue may go: nobody is held back by what is in work.
        session.execute(text("update queue_people set executions_at_once = 10"))
    try:
        spent, claimed = 0.0, 0
        while spent < CLAIM_SECONDS:
            begun = time.monotonic()
            batches = claim_batches(database, places=places, slots=RUNNING, largest=4)
            spent += time.monotonic() - begun
            claimed += len(batches)
            assert len(batches) == places
            for batch in batches if places > 1 or claimed % 100 == 0 else ():
                for name, attempt in batch.attempts.items():
                    queue_wells.put_back(database, Well(batch.number, name, attempt))
        return claimed / spent
    finally:
        database.close()


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# ----------------------------------------------------------------- PostgreSQL


@contextmanager
def postgresql() -> Iterator[str | None]:
    """A database in a PostgreSQL server of our own that writes durably, as it does by default; None when none is installed."""
    sys.path.insert(0, str(ROOT))
    from tests.execution.postgresql import PostgresServer, why_not

    if why_not() is not None:
        yield None
        return
    server = PostgresServer(options="-c shared_buffers=256MB -c max_connections=100").start()
    try:
        yield server.new(empty=True)
    finally:
        server.stop()


class _Printed:
    """Figures for the screen alone."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def note(self, name: str, value: float, unit: str, target: float | None = None) -> None:
        self._keep(name, value, unit, target, None if target is None else value <= target)

    def note_rate(self, name: str, value: float, unit: str, target: float) -> None:
        self._keep(name, value, unit, target, value >= target)

    def _keep(self, name: str, value: float, unit: str, target: float | None, ok: bool | None) -> None:
        self.found[name] = {"value": round(value, 3), "unit": unit, "target": target, "ok": ok}
        print(f"-- {name}: {value:.2f} {unit}, target {target}: {ok}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["noop", "database"], default="")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.url, options.port)
        return 0
    work = Path(tempfile.mkdtemp(prefix="openhcs-queue-bench-"))
    figures = _Printed()
    try:
        measure(figures, work, options.only)
    finally:
        shutil.rmtree(work)
    print(json.dumps(figures.found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
