# SPDX-License-Identifier: AGPL-3.0-or-later
"""The service as a whole: real embedded OMERO, real OpenHCS, real processes, and what happens when they die."""

from __future__ import annotations

import pytest

from omero_sandbox.testing import RunningSandbox
from tests.execution.omero_io.world import Lab

from .service_world import RunningService, expected_nuclei, follow, nuclei_plate

pytestmark = [pytest.mark.stack, pytest.mark.engine]


@pytest.fixture
def lab(omero_sandbox: RunningSandbox):
    lab = Lab(omero_sandbox)
    yield lab
    lab.close()


def test_a_plate_is_computed_and_saved(service: RunningService, lab: Lab) -> None:
    conn = lab.person()
    plate_id = nuclei_plate(conn)
    with service.client(conn) as client:
        execution_id = client.execute_remote(plate_id=plate_id, pipeline="nuclei-count")
        for e in follow(client, execution_id):
            print(e.time, e.sequence, e.kind, e.well, e.data)
        execution = client.execution(execution_id)
    assert execution.status == "completed", execution.message
    counts = {well.well: well.measurements["nuclei_count"] for well in execution.wells}
    assert counts == {well.well: expected_nuclei(well.row, well.column) for well in execution.wells}
