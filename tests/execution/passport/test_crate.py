# SPDX-License-Identifier: AGPL-3.0-or-later
"""The crate is what its profiles ask for, an independent reader reads it, and every hash in it can be computed again.

Profiles: https://w3id.org/ro/crate/1.1, https://w3id.org/ro/wfrun/process/0.5, https://w3id.org/ro/wfrun/workflow/0.5,
https://w3id.org/workflowhub/workflow-ro-crate/1.0.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rocrate.rocrate import ROCrate

from openhcs_client import OpenHCSError
from openhcs_execution.hashing import array_sha256, field_sha256
from openhcs_execution.passport import gather
from openhcs_execution.passport.tables import table_sha256
from tests.execution.queued import enqueue, execution


@pytest.fixture
def crate(run, passport, tmp_path: Path) -> ROCrate:
    with zipfile.ZipFile(passport(run(), labels=True)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "crate")
    return ROCrate(tmp_path / "crate")


def ids(value) -> set[str]:
    return {entity.id for entity in (value if isinstance(value, list) else [value])}


def test_the_root_names_its_profiles_and_its_files(crate: ROCrate) -> None:
    root = crate.root_dataset
    assert ids(root["conformsTo"]) == {
        "https://w3id.org/ro/wfrun/process/0.5",
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
    }
    for profile in root["conformsTo"]:
        assert profile.type == "CreativeWork" and profile["name"] and profile["version"]
    told = {getattr(entry, "id", entry) for entry in crate.metadata["conformsTo"]}
    assert told == {"https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"}
    for name in ("name", "description", "datePublished", "license"):
        assert root[name], name
    assert root["license"]["name"] == "No licence claimed"
    for entity in root["hasPart"]:
        assert (Path(crate.source) / entity.id).exists(), entity.id


def test_the_workflow_is_the_main_entity(crate: ROCrate) -> None:
    workflow = crate.mainEntity
    assert set(workflow.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert workflow["programmingLanguage"].type == "ComputerLanguage"
    assert workflow["name"] == "Count nuclei"
    for parameter in [*workflow["input"], *workflow["output"]]:
        assert parameter.type == "FormalParameter"
        assert parameter["additionalType"] and parameter["name"]
    assert {each["name"] for each in workflow["softwareRequirements"]} >= {"OpenHCS", "NumPy", "scikit-image", "omero-openhcs"}
    numpy = next(each for each in workflow["softwareRequirements"] if each["name"] == "NumPy")
    assert numpy["softwareVersion"] == "2.0.0"
    assert numpy["citation"].id == "https://doi.org/10.1038/s41586-020-2649-2"


def test_the_run_is_an_action_of_the_workflow(crate: ROCrate) -> None:
    [action] = [entity for entity in crate.get_entities() if entity.type == "CreateAction"]
    assert ids(crate.root_dataset["mentions"]) == {action.id}
    assert action["instrument"] is crate.mainEntity
    assert action["agent"].type == "Person" and action["agent"]["name"] == "user 2"
    assert action["endTime"] >= action["startTime"]
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert action["error"] == "No results: A03"
    inputs, outputs = ids(crate.mainEntity["input"]), ids(crate.mainEntity["output"])
    for value in action["object"]:
        assert value["exampleOfWork"].id in inputs
    for value in action["result"]:
        assert value.id == "labels/" or value["exampleOfWork"].id in outputs
    assert {value["value"] for value in action["object"] if value["name"] == "diameter"} == {18.0}


def test_every_link_leads_somewhere_and_every_hash_is_right(crate: ROCrate) -> None:
    folder = Path(crate.source)
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    known = {entity["@id"] for entity in graph}

    def links(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else [link for item in value.values() for link in links(item)]
        elif isinstance(value, list):
            for item in value:
                yield from links(item)

    local = {link for entity in graph for link in links(entity) if not link.startswith("https://")}
    assert local <= known
    hashed = [entity for entity in graph if "sha256" in entity]
    assert {entity["@id"] for entity in hashed} >= {"pipeline.json", "inputs.json", "outputs.json", "methods.txt"}
    for entity in hashed:
        content = (folder / entity["@id"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entity["sha256"]
        assert entity["contentSize"] == str(len(content))


def test_tables_and_label_images_are_in_it_with_their_hashes(crate: ROCrate) -> None:
    folder = Path(crate.source)
    assert pd.read_csv(folder / "measurements/wells.csv")["nuclei_count"].tolist() == [1.0, 2.0]
    assert pd.read_parquet(folder / "measurements/objects.parquet")["area"].tolist() == [20.0, 20.0, 2.5]
    outputs = json.loads((folder / "outputs.json").read_text())
    first, second, failed = outputs["wells"]
    assert (failed["state"], failed["failure"], failed["labels"]) == ("failed", "Well A03 is black.", [])
    assert first["measurements"]["strange"] is None
    assert first["labels"][0]["omero_image_id"] == 900
    image = np.load(folder / second["labels"][0]["file"])
    assert array_sha256(image) == second["labels"][0]["sha256"]
    assert "/secret/path" not in "".join(path.read_text(errors="ignore") for path in folder.glob("*.json"))


def test_the_hash_of_an_image_can_be_computed_without_us() -> None:
    image = np.arange(6, dtype=">u2").reshape(2, 3)
    by_hand = hashlib.sha256(b"<u2 2 3\n" + b"".join(value.to_bytes(2, "little") for value in range(6))).hexdigest()
    assert array_sha256(image) == by_hand
    assert array_sha256(image) != array_sha256(image.reshape(3, 2))
    assert field_sha256({(2, 1, 1): "b", (1, 1, 1): "a"}) == hashlib.sha256(b"1 1 1 a\n2 1 1 b\n").hexdigest()


def test_the_hash_of_a_table_is_over_its_values(tmp_path: Path) -> None:
    def digest(**columns) -> str:
        target = io.BytesIO()
        pd.DataFrame(columns).to_parquet(target)
        (tmp_path / "t.parquet").write_bytes(target.getvalue())
        return table_sha256(tmp_path / "t.parquet")

    base = digest(well=["A01"], area=[1.5], name=["x"])
    assert base == digest(name=["x"], area=[1.5], well=["B07"])
    assert base != digest(well=["A01"], area=[np.nextafter(1.5, 2)], name=["x"])
    assert base != digest(well=["A01"], area=[1.5], name=["y"])
    assert digest(a=[1, 2]) == digest(a=[1.0, 2.0])


def test_label_images_beyond_the_limit_are_refused_and_nothing_is_left(run, passport, tmp_path: Path) -> None:
    number = run()
    with pytest.raises(OpenHCSError, match="without label images") as refused:
        passport(number, labels=True, most=100)
    assert (refused.value.code, refused.value.status) == ("passport_too_large", 413)
    passport(number)
    assert not list(tmp_path.glob("passport-*/"))


def test_a_run_that_has_not_ended_has_no_passport(database, store) -> None:
    number = enqueue(database, 1)
    with database.read() as session, pytest.raises(OpenHCSError) as refused:
        gather(session, store, execution(database, number), "omero:4064")
    assert (refused.value.code, refused.value.status) == ("not_ended", 409)
