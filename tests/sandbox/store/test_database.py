# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database: transactions, threads, durability, speed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import omero
import omero.model as m
import pytest
from omero.rtypes import rint, rstring

from omero_sandbox.query.context import Context
from omero_sandbox.query.execution import execute_query
from omero_sandbox.query.parser import parse
from omero_sandbox.query.translation import translate_query
from omero_sandbox.security.caller import GUEST_USER, SYSTEM_GROUP, USER_GROUP, Caller
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save

from .world import World, make_image


def test_a_fresh_database_is_a_fresh_omero(tmp_path: Path) -> None:
    database = Database(tmp_path / "new")
    assert dict(database.rows("SELECT id, c_omeName FROM e_Experimenter")) == {0: "root", GUEST_USER: "guest"}
    groups = dict(database.rows("SELECT id, c_name FROM e_ExperimenterGroup"))
    assert (groups[SYSTEM_GROUP], groups[USER_GROUP]) == ("system", "user")
    assert database.pixels_folder.is_dir()
    assert database.files_folder.is_dir()
    assert database.rows("PRAGMA foreign_key_check") == []
    assert database.value("PRAGMA journal_mode") == "wal"
    database.close()


def test_it_is_still_there_when_opened_again(world: World) -> None:
    folder, image = world.database.folder, world.data["private"].image
    world.database.close()
    again = Database(folder)
    assert again.value("SELECT c_name FROM e_Image WHERE id = ?", image) == "private image"
    again.close()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.execute("UPDATE sandbox SET schema_version = 999")
    database.close()
    with pytest.raises(RuntimeError, match="another version"):
        Database(tmp_path)


def test_transactions_nest(world: World) -> None:
    database = world.database

    def names() -> set[str]:
        return {row[0] for row in database.rows("SELECT key FROM setting WHERE area = 'test'")}

    def put(key: str) -> None:
        database.execute("INSERT INTO setting VALUES ('test', ?, 'x')", key)

    with database.transaction(write=True):
        put("outer")
        with pytest.raises(ValueError, match="inner"), database.transaction(write=True):
            put("inner")
            raise ValueError("inner")
        with database.transaction(write=True):
            put("second")
    assert names() == {"outer", "second"}
    with pytest.raises(ValueError, match="outer"), database.transaction(write=True):
        with database.transaction(write=True):
            put("lost")
        raise ValueError("outer")
    assert names() == {"outer", "second"}


def test_references_to_nothing_cannot_be_stored(world: World) -> None:
    with pytest.raises(omero.ValidationException), world.database.transaction(write=True):
        world.database.insert("Well", plate=10**6, owner_id=0, group_id=0)
    assert world.database.value("SELECT count(*) FROM e_Well") == 4
    with pytest.raises(omero.ValidationException), world.database.transaction(write=True):
        world.database.execute("DELETE FROM e_Plate")
    assert world.database.value("SELECT count(*) FROM e_Plate") == 4


def test_names_of_users_and_groups_are_unique(world: World) -> None:
    group = m.ExperimenterGroupI()
    group.name, group.ldap = rstring("private"), omero.rtypes.rbool(False)
    with pytest.raises(omero.ValidationException):
        save(world.database, [group], Caller.system())


def test_insert_refuses_unknown_columns(world: World) -> None:
    with pytest.raises(KeyError):
        world.database.insert("Image", nonsense=1)


def test_threads_share_one_database(world: World) -> None:
    """Writers and readers at once: nothing is lost, no reader meets half of a save."""
    caller = world.caller("owner", "private")
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for step in range(5):
                dataset = m.DatasetI()
                dataset.name = rstring(f"thread {number} {step}")
                for part in range(3):
                    dataset.linkImage(make_image(f"{number} {step} {part}"))
                save(world.database, [dataset], caller)
        except BaseException as error:
            errors.append(error)

    def read() -> None:
        hql = "select d.id, count(l.id) from Dataset d join d.imageLinks l where d.name like 'thread%' group by d.id"
        try:
            for _ in range(20):
                for row in execute_query(world.database, hql, None, caller, projection=True):
                    assert row[1].val == 3
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert world.database.value("SELECT count(*) FROM e_Dataset WHERE c_name LIKE 'thread%'") == 20


_WRITER = """
import os, sys
from pathlib import Path
import omero.model as m
from omero.rtypes import rstring
from omero_sandbox.security.caller import Caller
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save
database = Database(Path(sys.argv[1]))
for number in range(10_000):
    project = m.ProjectI()
    project.name = rstring(f"project {number}")
    dataset = m.DatasetI()
    dataset.name = rstring(f"dataset {number}")
    project.linkDataset(dataset)
    save(database, [project], Caller.system())
    print(number, flush=True)
"""


def test_nothing_that_was_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 20:
            break
    process.kill()
    acknowledged = int(([line, *process.stdout.readlines()])[-1])
    process.wait()
    database = Database(tmp_path)
    projects = database.value("SELECT count(*) FROM e_Project")
    assert projects >= acknowledged + 1
    assert database.value("SELECT count(*) FROM e_ProjectDatasetLink") == projects
    assert database.value("PRAGMA integrity_check") == "ok"
    assert database.rows("PRAGMA foreign_key_check") == []
    database.close()


GRID = (
    "select well from Well as well join fetch well.details.creationEvent join fetch well.details.owner "
    "join fetch well.details.group left outer join fetch well.plate as pt left outer join fetch well.wellSamples as ws "
    "left outer join fetch ws.image as img where well.plate.id = :oid"
)


def _big_plate() -> m.PlateI:
    plate = m.PlateI()
    plate.name = rstring("384 wells")
    for number in range(384):
        well = m.WellI()
        well.row, well.column = rint(number // 24), rint(number % 24)
        plate.addWell(well)
        for field in range(2):
            sample = m.WellSampleI()
            sample.image = make_image(f"field {field}")
            well.addWellSample(sample)
    return plate


def test_a_plate_grid_of_384_wells_is_quick_for_members(world: World) -> None:
    """By the plan, not by the clock alone: no table of a plate grid is scanned, whatever else is in the database."""
    plate = _big_plate()
    save(world.database, [plate], world.caller("owner", "read-annotate"))
    caller = world.caller("member")
    parameters = omero.sys.ParametersI()
    parameters.add("oid", plate.id)
    read_filter = ReadFilter(world.database, caller)
    statement = translate_query(Context(read_filter, {"oid": plate.id.val}), parse(GRID), None, None)
    steps = [row[3] for row in world.database.named_rows(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bound)]
    assert [step for step in steps if step.startswith("SCAN")] == []
    started = time.perf_counter()
    wells = execute_query(world.database, GRID, parameters, caller)
    seconds = time.perf_counter() - started
    assert len(wells) == 384
    assert all(len(well.copyWellSamples()) == 2 for well in wells)
    assert wells[0].copyWellSamples()[1].image.name.val == "field 1"
    assert seconds < 10  # 0.3 s on a quiet laptop
