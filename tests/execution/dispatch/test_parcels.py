# SPDX-License-Identifier: AGPL-3.0-or-later
"""Results that come in pieces from a worker with a disk of its own, and the ways in which they may not come."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from openhcs_execution.dispatch import parcels
from openhcs_execution.dispatch.parcels import OUTBOX, ParcelLost, fetch_parcel, list_parcel
from openhcs_execution.dispatch.tasks import Outcome, ParcelFile
from openhcs_execution.engine import EngineResult, LabelFile
from openhcs_execution.results.bundle import ResultStore
from tests.execution.coroutines import run_coroutine


class FakeClient:
    """Asks the one worker that there is, as Dask would."""

    def __init__(self, store: ResultStore, address: str = "tls://host:1") -> None:
        self.worker, self.address = SimpleNamespace(**{OUTBOX: store}), address

    def run(self, function: Any, *arguments: Any, workers: list[str]) -> dict[str, Any]:
        if workers != [self.address]:
            raise OSError("no such worker")
        return {self.address: run_coroutine(function(*arguments, dask_worker=self.worker))}


@pytest.fixture
def there(tmp_path: Path) -> ResultStore:
    """The worker's disk, with the bundle of a well."""
    store = ResultStore(tmp_path / "there")
    label = tmp_path / "label.npy"
    np.save(label, np.arange(40_000, dtype="int32").reshape(200, 200))
    found = LabelFile(field=1, name="nuclei", path=label, objects=3)
    store.write("e1", 1, EngineResult(well="A01", seconds=1.0, labels=[found]))
    return store


@pytest.fixture
def here(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "here")


def outcome(there: ResultStore, **changed: Any) -> Outcome:
    told = {"parcel": list_parcel(there.read("e1", "A01", 1)), "address": "tls://host:1"} | changed
    return Outcome(number=1, well="A01", attempt=1, what="computed", **told)


def nothing_is_left(store: ResultStore) -> bool:
    return not any(path.is_file() for path in store.root.rglob("*"))


def test_a_bundle_comes_whole_in_pieces_and_is_forgotten_there(
    here: ResultStore, there: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "PIECE", 1000)
    before = np.load(there.read("e1", "A01", 1).result.labels[0].path)
    fetch_parcel(FakeClient(there), here, "e1", outcome(there))
    bundle = here.read("e1", "A01", 1)
    assert np.array_equal(np.load(bundle.result.labels[0].path), before)
    assert nothing_is_left(there)


def test_a_worker_that_has_gone_leaves_nothing_half_done(here: ResultStore, there: ResultStore) -> None:
    with pytest.raises(ParcelLost, match="no such worker"):
        fetch_parcel(FakeClient(there), here, "e1", outcome(there, address="tls://gone:1"))
    assert nothing_is_left(here)


def test_a_bundle_that_is_there_no_more_is_lost(here: ResultStore, there: ResultStore) -> None:
    told = outcome(there)
    there.discard("e1", "A01", 1)
    with pytest.raises(ParcelLost, match="FileNotFoundError"):
        fetch_parcel(FakeClient(there), here, "e1", told)


def test_a_file_that_is_longer_or_shorter_than_announced_is_refused(here: ResultStore, there: ResultStore) -> None:
    for change in (-1, 1):
        files = [file.model_copy(update={"size": file.size + change}) for file in outcome(there).parcel]
        with pytest.raises(ValueError, match="not as long"):
            fetch_parcel(FakeClient(there), here, "e1", outcome(there, parcel=files))
    assert nothing_is_left(here)


def test_a_manifest_that_names_what_did_not_come_is_refused(here: ResultStore, there: ResultStore) -> None:
    only = [file for file in outcome(there).parcel if file.name == "result.json"]
    with pytest.raises(ValueError, match="incomplete"):
        fetch_parcel(FakeClient(there), here, "e1", outcome(there, parcel=only))
    assert nothing_is_left(here)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "labels/../../x.npy", "labels/0000.npy\n", "other.txt"])
def test_no_other_name_is_read_or_written(name: str) -> None:
    with pytest.raises(ValidationError):
        ParcelFile(name=name, size=1)
