# SPDX-License-Identifier: AGPL-3.0-or-later
"""A run that would exceed a cap is refused when wells that were run before say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhcs_client import OpenHCSError, RunEstimate, SavingOptions
from openhcs_execution.objects_estimate import with_objects
from openhcs_execution.queue import wells
from openhcs_execution.queue.reading import Reader
from openhcs_execution.queue.wells import ComputedWell
from openhcs_execution.results.bundle import ResultStore
from openhcs_execution.saving_check import check_saving
from openhcs_execution.settings import Settings
from tests.execution.queued import DOCUMENT, claim_all, enqueue, execution, open_database, plate_layout
from tests.execution.results.test_results import engine_result

OWNER = Reader(2, False, frozenset())
LAYOUT = plate_layout(12)
WELLS = [well.well for well in LAYOUT.wells]
EMPTY = RunEstimate(wells=12, seconds=1, seconds_per_well=1, memory_mb=1, output_mb=1)


@pytest.fixture
def tested(tmp_path: Path):
    """A database in which well A01 was tested and has 40 objects in its only field."""
    database, store = open_database(tmp_path), ResultStore(tmp_path / "results")
    number = enqueue(database, test_well=True)
    (claimed,) = claim_all(database)
    bundle = store.write(execution(database, number).execution_id, claimed.attempt, engine_result(tmp_path / "o", "A01", 40))
    wells.commit_well(database, claimed, ComputedWell(1.0, {}, bundle.field_rows, bundle.object_rows, 1))
    yield database, store
    database.close()


def expected(tested, reader: Reader = OWNER, values: dict | None = None) -> RunEstimate:
    database, store = tested
    with database.read() as session:
        return with_objects(EMPTY, session, store, reader, DOCUMENT, values or {}, LAYOUT.shape(WELLS))


def test_objects_are_expected_from_the_tested_well(tested) -> None:
    estimate = expected(tested)
    assert (estimate.objects, estimate.objects_per_field) == (480, 40)
    assert estimate.objects_basis == "40 in each of 12 fields, as in well A01"


def test_other_values_and_other_people_know_nothing(tested) -> None:
    assert expected(tested, values={"sigma": 2.0}).objects is None
    assert expected(tested, reader=Reader(3, False, frozenset())).objects is None


def test_results_that_were_tidied_away_are_no_basis(tested, tmp_path: Path) -> None:
    import shutil

    shutil.rmtree(tmp_path / "results")
    assert expected(tested).objects is None


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"rois_per_field": 39, "rois_per_run": 1000}, "saving.rois_per_field"),
        ({"rois_per_field": 40, "rois_per_run": 479}, "saving.rois_per_run"),
        ({"rois_per_field": 40, "rois_per_run": 480}, None),
    ],
)
def test_caps_and_the_expected_number(tested, tmp_path: Path, monkeypatch, options: dict, field: str | None) -> None:
    wanted = SavingOptions(rois="masks", **options)
    arguments = (None, wanted, LAYOUT, WELLS, expected(tested), Settings(data_dir=tmp_path))
    if field is None:
        check_saving(*arguments)
        return
    with pytest.raises(OpenHCSError) as caught:
        check_saving(*arguments)
    assert (caught.value.code, list(caught.value.field_errors)) == ("too_many_rois", [field])


def test_without_rois_no_number_matters(tested, tmp_path: Path) -> None:
    check_saving(None, SavingOptions(rois_per_run=1), LAYOUT, WELLS, expected(tested), Settings(data_dir=tmp_path))
