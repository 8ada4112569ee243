# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from openhcs_execution.database import Base, Database, DatabaseRefused, EventRow, QueuePerson, migrate, migrations
from openhcs_execution.database.engine import filesystem_type
from openhcs_execution.database.migrate import current_revision
from openhcs_execution.queue import executions
from openhcs_execution.queue.policy import claim_batches, claim_wells
from tests.execution.queued import assert_consistent, enqueue, execution, open_database


def test_migrations_make_the_schema_of_the_models(new_url: Callable[[], str]) -> None:
    database = Database(new_url())
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    reached = current_revision(database)
    assert reached is not None
    assert migrate(database) == reached  # a second time is nothing
    database.close()


def test_an_upgrade_counts_what_is_open_and_remembers_who_submitted(new_url: Callable[[], str]) -> None:
    database = Database(new_url())
    running, waiting, ended = (enqueue(database, 3, owner=owner) for owner in (2, 4, 2))
    executions.cancel(database, ended)
    claimed = claim_wells(database, slots=1, largest=2)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    for way, revision in ((command.downgrade, "0001"), (command.upgrade, "head")):
        with database.engine.execution_options(writes=True).connect() as connection:
            config.attributes["connection"] = connection
            way(config, revision)
    assert_consistent(database, [running, waiting, ended])
    assert execution(database, running).wells_claimed == len(claimed.attempts) == 2
    assert execution(database, ended).wells_waiting == 0
    with database.read() as session:
        people = session.execute(select(QueuePerson.owner_id, QueuePerson.name).order_by(QueuePerson.owner_id))
        assert people.all() == [(2, "user 2"), (4, "user 4")]
    assert [batch.number for batch in claim_batches(database, places=2, slots=1, largest=2)] == [waiting, running]
    database.close()


def test_a_database_of_a_newer_version_or_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.write() as session:
        session.execute(text("update alembic_version set version_num = 'future'"))
    with pytest.raises(DatabaseRefused, match="newer version"):
        migrate(database)
    database.close()
    foreign = tmp_path / "foreign.db"
    sqlite3.connect(foreign).execute("create table theirs (x)").connection.close()
    with pytest.raises(DatabaseRefused, match="did not make"):
        migrate(Database(f"sqlite:///{foreign}"))


def test_sqlite_is_set_up_for_many_readers_and_one_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with database.read() as session:
        pragmas = {
            name: session.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 20000}
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(EventRow(execution=99, sequence=1, time=datetime.now(UTC), kind="queued", data={}))
    database.close()


def test_a_reader_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    enqueue(database, 1)
    seen: list[int] = []

    def read() -> None:
        with database.read() as session:
            seen.append(session.execute(text("select count(*) from executions")).scalar_one())

    with database.write() as session:
        session.execute(text("update executions set message = 'half done'"))
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(5)
    assert seen == [1]
    database.close()


def test_what_raises_changes_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    enqueue(database, 1)
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.execute(text("delete from executions"))
        _ = 1 / 0
    with database.read() as session:
        assert session.execute(text("select count(*) from executions")).scalar_one() == 1
    database.close()


MOUNTS = "/dev/sda / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n/dev/sdb /home/local\\040disk xfs rw 0 0\n"


@pytest.mark.parametrize(
    ("path", "kind"), [("/var/lib", "ext4"), ("/home/ada", "nfs4"), ("/home", "nfs4"), ("/home/local disk/x", "xfs")]
)
def test_the_filesystem_of_a_path_is_found_out(path: str, kind: str) -> None:
    assert filesystem_type(Path(path), MOUNTS) == kind


def test_sqlite_on_a_network_filesystem_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openhcs_execution.database.engine.filesystem_type", lambda _path: "nfs4")
    with pytest.raises(DatabaseRefused, match=r"network filesystem \(nfs4\).*local disk"):
        Database(f"sqlite:///{tmp_path / 'x.db'}")
