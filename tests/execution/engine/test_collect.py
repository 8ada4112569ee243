# SPDX-License-Identifier: AGPL-3.0-or-later
"""From what the steps made to files: tidy tables, honest gaps, nothing lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openhcs_client import OpenHCSError
from openhcs_execution.engine.collect import collect
from openhcs_execution.engine.tables import Artifact, FieldMeasurements


def measured(field: int, areas: list[float], level: float = 1.0, name: str = "nuclei") -> Artifact:
    objects = {
        "label": np.arange(1, len(areas) + 1),
        "centroid_y": np.zeros(len(areas)),
        "centroid_x": np.zeros(len(areas)),
        "area": np.array(areas, float),
    }
    value = FieldMeasurements("nuclei", objects, counts={"nuclei_count": len(areas)}, values={"sharpness": level})
    return Artifact(f"measurements_{name}", field, value)


def test_counts_add_up_and_means_are_over_objects(tmp_path: Path) -> None:
    collected = collect([measured(1, [10, 20, 30], 0.2), measured(2, [100], 0.4)], [1, 2], "A01", tmp_path)
    assert collected.well_measurements == {"nuclei_count": 4.0, "area": 40.0, "sharpness": pytest.approx(0.3)}
    fields = pd.read_parquet(collected.fields_table)
    assert fields.to_dict("list") == {
        "well": ["A01", "A01"],
        "field": [1, 2],
        "nuclei_count": [3, 1],
        "sharpness": [0.2, 0.4],
        "area": [20.0, 100.0],
    }


def test_cells_are_numbers_or_strings(tmp_path: Path) -> None:
    collected = collect([measured(1, [10, np.nan]), measured(2, [])], [1, 2], "A01", tmp_path)
    for path in (collected.fields_table, collected.objects_table):
        assert path is not None
        for column in pq.read_schema(path):
            assert pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_string(column.type)


def test_what_is_missing_is_missing_and_not_zero(tmp_path: Path) -> None:
    collected = collect([measured(1, []), measured(2, [])], [1, 2], "A01", tmp_path)
    assert collected.well_measurements == {"nuclei_count": 0.0, "sharpness": 1.0, "area": None}
    assert pq.read_table(collected.fields_table)["area"].to_pylist() == [None, None]
    assert collected.objects_table is not None
    assert pq.read_table(collected.objects_table).num_rows == 0
    not_a_number = collect([measured(1, [np.nan, 5.0], np.inf)], [1], "A01", tmp_path / "second")
    assert not_a_number.well_measurements == {"nuclei_count": 2.0, "sharpness": None, "area": 5.0}
    assert not_a_number.objects_table is not None
    assert pq.read_table(not_a_number.objects_table)["area"].to_pylist() == [None, 5.0]


def test_columns_of_several_steps_join_by_label(tmp_path: Path) -> None:
    intensity = FieldMeasurements("nuclei", {"label": np.array([1, 2]), "gfp_mean": np.array([5.0, 7.0])})
    spots = FieldMeasurements("spots", {"label": np.array([1]), "spot_area": np.array([3.0])}, counts={"spot_count": 1})
    made = [measured(1, [10, 20]), Artifact("measurements_gfp", 1, intensity), Artifact("measurements_spots", 1, spots)]
    collected = collect(made, [1], "A01", tmp_path)
    assert collected.objects_table is not None
    objects = pq.read_table(collected.objects_table).to_pylist()
    assert [(row["object"], row["label"], row["area"], row["gfp_mean"], row["spot_area"]) for row in objects] == [
        ("nuclei", 1, 10.0, 5.0, None),
        ("nuclei", 2, 20.0, 7.0, None),
        ("spots", 1, None, None, 3.0),
    ]


def test_label_images_are_int32(tmp_path: Path) -> None:
    labels = np.array([[0, 1], [2, 2]], np.int64)
    collected = collect([Artifact("labels_nuclei", 3, labels), measured(3, [1, 2])], [3], "A01", tmp_path)
    (file,) = collected.labels
    assert (file.field, file.name, file.objects) == (3, "nuclei", 2)
    stored = np.load(file.path, allow_pickle=False)
    assert stored.dtype == np.int32
    np.testing.assert_array_equal(stored, labels)


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        ([], [1]),
        ([measured(1, [1])], [1, 2]),
        ([measured(1, [1]), measured(2, [1]), measured(1, [], name="other")], [1, 2]),
        ([measured(5, [1])], [1]),
    ],
)
def test_a_lost_field_is_an_error(tmp_path: Path, made: list[Artifact], fields: list[int]) -> None:
    with pytest.raises(OpenHCSError):
        collect(made, fields, "A01", tmp_path)


def test_two_steps_cannot_overwrite_each_other(tmp_path: Path) -> None:
    with pytest.raises(OpenHCSError, match="another name"):
        collect([measured(1, [1]), measured(1, [2], name="again")], [1], "A01", tmp_path)
    clash = FieldMeasurements("field", values={"area": 2.0})
    with pytest.raises(OpenHCSError, match="another name"):
        collect([measured(1, [1]), Artifact("measurements_clash", 1, clash)], [1], "A01", tmp_path)


def test_tables_must_be_tables() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        FieldMeasurements("nuclei", {"label": np.arange(2), "area": np.arange(3)})
    with pytest.raises(ValueError, match="no label"):
        FieldMeasurements("nuclei", {"area": np.arange(3)})
