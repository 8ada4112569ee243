# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading a passport trusts nothing in it; comparing two says whether results are the same, and if not what differs."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from openhcs_client import PASSPORT_FILES, OpenHCSError, compare_passports, read_passport

Contents = dict[str, bytes]


@pytest.fixture
def changed(run, passport, tmp_path: Path) -> Callable[..., Path]:
    """A passport after ``change`` has changed its files; hashes are made right again unless told otherwise."""
    original = passport(run())

    def make(change: Callable[[Contents], None], *, rehash: bool = True) -> Path:
        with zipfile.ZipFile(original) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        change(contents)
        if rehash:
            metadata = json.loads(contents["ro-crate-metadata.json"])
            for entity in metadata["@graph"]:
                if entity["@id"] in contents and "sha256" in entity:
                    entity["sha256"] = hashlib.sha256(contents[entity["@id"]]).hexdigest()
            contents["ro-crate-metadata.json"] = json.dumps(metadata).encode()
        path = tmp_path / "changed.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return path

    return make


def replace(file: str, **fields) -> Callable[[Contents], None]:
    def change(contents: Contents) -> None:
        contents[file] = json.dumps(json.loads(contents[file]) | fields).encode()

    return change


def refusal(path: Path) -> OpenHCSError:
    with pytest.raises(OpenHCSError) as refused:
        read_passport(path)
    return refused.value


def test_it_reads_what_was_written(run, read, document) -> None:
    found = read(run())
    assert found.document == document
    assert [well.well for well in found.inputs.wells] == ["A01", "A02", "A03"]
    assert [well.fields[0].sha256 for well in found.inputs.wells] == ["ab" * 32, "ab" * 32, None]
    assert found.inputs.omero_server == "omero.example.org:4064"
    [machine] = found.run.machines
    assert (machine.processor, machine.cores, machine.memory_mb, machine.wells) == ("A processor", 2, 4096, 2)
    [kind] = found.inputs.shape().kinds
    assert (kind.wells, kind.fields[0].size_x, kind.fields[0].pixel_type) == (("A01", "A02", "A03"), 8, "uint16")


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../evil", "C:/evil", "a\\..\\evil"])
def test_names_that_leave_the_folder_are_refused(changed, name: str) -> None:
    error = refusal(changed(lambda contents: contents.update({name: b"x"})))
    assert (error.code, error.status) == ("passport_unsafe", 422)


def test_links_are_refused(changed) -> None:
    path = changed(lambda contents: None)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal(path).code == "passport_unsafe"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(changed) -> None:
    path = changed(lambda contents: None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pipeline.json", "{}")
    assert refusal(path).code == "passport_unsafe"


@pytest.mark.parametrize("name", ["ro-crate-metadata.json", "pipeline.json", "run.json"])
def test_a_bomb_is_not_unpacked(changed, name: str) -> None:
    most = PASSPORT_FILES[name]
    error = refusal(changed(lambda contents: contents.update({name: b" " * (most + 1)}), rehash=False))
    assert (error.code, error.status) == ("passport_too_large", 413)


def test_a_lie_about_the_size_does_not_help(changed) -> None:
    """The size in the directory of the zip says less than what comes out."""
    path = changed(lambda contents: contents.update({"run.json": b" " * (PASSPORT_FILES["run.json"] + 1)}), rehash=False)
    size = (PASSPORT_FILES["run.json"] + 1).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    assert refusal(path).code in ("not_a_passport", "passport_too_large", "passport_damaged")


@pytest.mark.parametrize("name", sorted(set(PASSPORT_FILES) - {"ro-crate-metadata.json"}))
def test_a_changed_file_is_told(changed, name: str) -> None:
    error = refusal(changed(lambda contents: contents.update({name: contents[name] + b" "}), rehash=False))
    assert error.code == "passport_damaged"
    assert name in error.message


@pytest.mark.parametrize("name", sorted(PASSPORT_FILES))
def test_a_missing_file_is_told(changed, name: str) -> None:
    error = refusal(changed(lambda contents: contents.pop(name), rehash=False))
    assert error.code == "not_a_passport"
    assert name in error.message


def test_a_file_without_a_hash_is_refused(changed) -> None:
    def forget(contents: Contents) -> None:
        metadata = json.loads(contents["ro-crate-metadata.json"])
        for entity in metadata["@graph"]:
            if entity["@id"] == "outputs.json":
                del entity["sha256"]
        contents["ro-crate-metadata.json"] = json.dumps(metadata).encode()

    assert refusal(changed(forget)).code == "passport_damaged"


def test_another_pipeline_than_the_run_names_is_refused(changed) -> None:
    assert refusal(changed(replace("pipeline.json", name="Other"))).code == "passport_damaged"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (replace("inputs.json", schema_version=2), "newer_passport"),
        (replace("inputs.json", wells=[]), "not_a_passport"),
        (replace("inputs.json", extra=1), "not_a_passport"),
        (replace("outputs.json", wells=[{"well": "not a well", "state": "done"}]), "not_a_passport"),
        (replace("parameters.json", nested={"a": 1}), "not_a_passport"),
        (replace("pipeline.json", schema_version=2), "newer_schema"),
        (lambda contents: contents.update({"parameters.json": b'{"a": 1, "a": 2}'}), "bad_json"),
        (lambda contents: contents.update({"parameters.json": b'{"a": NaN}'}), "bad_json"),
        (lambda contents: contents.update({"run.json": b"[" * 100_000}), "bad_json"),
    ],
)
def test_wrong_content_is_told_in_a_sentence(changed, change, code: str) -> None:
    error = refusal(changed(change))
    assert error.code == code
    assert error.message.endswith(".")


def test_what_is_no_zip_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    assert refusal(tmp_path / "no.zip").code == "not_a_passport"
    assert refusal(tmp_path / "absent.zip").code == "unreadable_file"


def test_other_crates_are_not_taken_for_passports(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("ro-crate-metadata.json", '{"@graph": [{"@id": "./"}]}')
        for name in set(PASSPORT_FILES) - {"ro-crate-metadata.json"}:
            archive.writestr(name, "{}")
    assert refusal(tmp_path / "other.zip").code == "not_a_passport"


def test_two_runs_with_equal_results_are_the_same(run, read) -> None:
    found = compare_passports(read(run()), read(run()))
    assert (found.same, found.wells, found.inputs) == (True, 3, "unknown")  # the failed well has no hash
    assert found.differences == [] and found.parameters == [] and found.pipeline_same


def test_what_differs_is_told(run, read) -> None:
    found = compare_passports(read(run()), read(run(area=25.0)))
    assert not found.same
    assert [each.well for each in found.differences] == ["A01", "A02"]
    assert "area: 20.0 before, 25.0 now" in found.differences[0].what
    assert any("table of objects" in sentence for sentence in found.differences[0].what)
    assert found.largest_relative_difference == pytest.approx(0.2)


def test_other_labels_pixels_values_and_software_are_told(run, read) -> None:
    reference = read(run())
    outputs, inputs = reference.outputs.model_copy(deep=True), reference.inputs.model_copy(deep=True)
    outputs.wells[0].labels[0].sha256 = "00" * 32
    outputs.wells.pop()
    inputs.wells[1].fields[0].sha256 = "cd" * 32
    other = type(reference)(
        document=reference.document,
        parameters={"diameter": 25.0},
        run=reference.run.model_copy(update={"software": reference.run.software | {"numpy": "2.1.0"}}),
        inputs=inputs,
        outputs=outputs,
    )
    found = compare_passports(reference, other)
    assert [(each.well, each.what) for each in found.differences] == [
        ("A01", ["the label image nuclei of field 1 differs (1 objects before, 1 objects now)"]),
        ("A03", ["not in the second passport"]),
    ]
    assert (found.inputs, found.changed_inputs) == ("different", ["A02"])
    assert found.parameters == ["diameter: the default before, 25.0 now"]
    assert found.software == ["numpy: 2.0.0 before, 2.1.0 now"]
