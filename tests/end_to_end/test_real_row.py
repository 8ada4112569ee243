# SPDX-License-Identifier: AGPL-3.0-or-later
"""The main job on a real screening row: through OMERO.web, through OpenHCS, and back into OMERO."""

from __future__ import annotations

import json

import numpy as np
import pytest
from omero.gateway import BlitzGateway
from stack import Stack

from openhcs_client import Execution, ExecutionDetail, RemoteOrchestrator, WellState

from .conftest import first_user, omero_connection, web_client

pytestmark = pytest.mark.stack

WELLS = {f"O{column:02d}" for column in range(1, 25)}
PROVENANCE = "openhcs.org/omero/execution/v1"
PIPELINE_FILE = "openhcs.org/omero/pipeline/v1"
BULK = "openmicroscopy.org/omero/bulk_annotations"


@pytest.fixture(scope="module")
def client(stack: Stack) -> RemoteOrchestrator:
    return web_client(stack, first_user(stack))


@pytest.fixture(scope="module")
def finished(stack: Stack, client: RemoteOrchestrator, row_plate: int) -> ExecutionDetail:
    """Spots counted in the whole row."""
    execution_id = client.execute_remote(plate_id=row_plate, pipeline="spot-count")
    status = client.wait(execution_id, progress=False)
    detail = client.execution(execution_id)
    assert status.status == "completed", [(well.well, well.failure) for well in detail.wells if well.failure]
    return detail


def test_all_wells_complete(finished: ExecutionDetail) -> None:
    assert {well.well for well in finished.wells} == WELLS
    assert {well.state for well in finished.wells} == {WellState.DONE}
    assert finished.wells_total == finished.wells_completed == 24
    assert finished.wells_failed == 0


def test_measurements_are_plausible_and_differ_between_wells(client: RemoteOrchestrator, finished: ExecutionDetail) -> None:
    page = client.measurements(finished.execution_id, level="field")
    assert page.total_rows == 24 * 3
    primary = finished.document["primary_measurement"]
    per_well = [well.measurements[primary] for well in finished.wells]
    assert all(value is not None and np.isfinite(value) for value in per_well)
    assert len(set(per_well)) > 12


def test_the_result_plate_mirrors_the_source(stack: Stack, finished: ExecutionDetail, row_plate: int) -> None:
    with omero_connection(stack, first_user(stack)) as connection:
        connection.SERVICE_OPTS.setOmeroGroup(str(finished.group_id))
        source = fields_by_well(connection, row_plate)
        result = fields_by_well(connection, finished.results.plate_id)
        assert set(result) == set(source) == {(14, column) for column in range(24)}
        for place, images in result.items():
            assert len(images) == len(source[place]) == 3
            for label_id, source_id in zip(images, source[place], strict=True):
                labels = connection.getObject("Image", label_id)
                original = connection.getObject("Image", source_id)
                assert (labels.getSizeX(), labels.getSizeY()) == (original.getSizeX(), original.getSizeY())
                assert labels.getOwner().getId() == finished.owner_id
                assert labels.getDetails().getGroup().getId() == finished.group_id
        counts = [
            int(connection.getObject("Image", images[0]).getPrimaryPixels().getPlane(0, 0, 0).max())
            for images in result.values()
        ]
        assert max(counts) > 0


def test_the_table_has_one_row_per_field_with_well_and_image(stack: Stack, finished: ExecutionDetail, row_plate: int) -> None:
    with omero_connection(stack, first_user(stack)) as connection:
        connection.SERVICE_OPTS.setOmeroGroup(str(finished.group_id))
        plate = connection.getObject("Plate", row_plate)
        tables = [each for each in plate.listAnnotations(ns=BULK) if each.getFile().getId() == finished.results.table_file_id]
        assert len(tables) == 1
        table = connection.c.sf.sharedResources().openTable(tables[0].getFile()._obj, connection.SERVICE_OPTS)
        try:
            headers = {column.name: number for number, column in enumerate(table.getHeaders())}
            assert {"Well", "Image"} <= set(headers)
            assert table.getNumberOfRows() == 72
            data = table.read(list(range(len(headers))), 0, 72)
            wells = set(data.columns[headers["Well"]].values)
            images = set(data.columns[headers["Image"]].values)
        finally:
            table.close()
        assert wells == {well.getId() for well in plate.listChildren()}
        assert images == {image for images in fields_by_well(connection, row_plate).values() for image in images}


def test_provenance_says_what_was_run(stack: Stack, finished: ExecutionDetail, row_plate: int) -> None:
    with omero_connection(stack, first_user(stack)) as connection:
        connection.SERVICE_OPTS.setOmeroGroup(str(finished.group_id))
        plate = connection.getObject("Plate", row_plate)
        maps = [dict(each.getValue()) for each in plate.listAnnotations(ns=PROVENANCE)]
        (pairs,) = [pairs for pairs in maps if pairs.get("execution_id") == finished.execution_id]
        assert finished.pipeline_hash in pairs.values()
        assert "0.8.6" in pairs.values()
        files = [each for each in plate.listAnnotations(ns=PIPELINE_FILE) if each.getFile().getName().endswith(".json")]
        documents = [json.loads(b"".join(each.getFileInChunks())) for each in files]
        assert finished.document in documents


def test_it_is_in_the_list_of_the_plate(client: RemoteOrchestrator, finished: ExecutionDetail, row_plate: int) -> None:
    listed = client.executions(plate=row_plate).executions
    assert finished.execution_id in {each.execution_id for each in listed}
    assert all(isinstance(each, Execution) and each.plate_id == row_plate for each in listed)


def fields_by_well(connection: BlitzGateway, plate_id: int) -> dict[tuple[int, int], list[int]]:
    """Image ids of a plate by (row, column), in field order."""
    plate = connection.getObject("Plate", plate_id)
    return {
        (well.row, well.column): [sample.getImage().getId() for sample in well.listChildren()] for well in plate.listChildren()
    }


def first_plane(connection: BlitzGateway, image_id: int) -> np.ndarray:
    return connection.getObject("Image", image_id).getPrimaryPixels().getPlane(0, 0, 0)
