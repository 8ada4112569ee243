# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reflected model is complete and agrees with the Ice classes that clients use."""

from __future__ import annotations

import subprocess
import sys

import omero
import omero.model as m
import pytest

from omero_sandbox.model.enumerations import BITS_PER_PIXEL, PRIVILEGES, enumeration_values
from omero_sandbox.model.reflection import ENTITIES, ENUMERATIONS, FieldKind, entity_named, entity_of, is_system_type
from omero_sandbox.model.slice_sources import read_model_classes
from omero_sandbox.store.schema import column, columns_of_root, create_statements


def test_every_concrete_class_of_the_model_is_an_entity() -> None:
    concrete = {
        name[:-1]
        for name, cls in vars(m).items()
        if name.endswith("I") and isinstance(cls, type) and issubclass(cls, m.IObject) and name[:-1] in vars(m)
    }
    assert concrete <= set(ENTITIES)
    assert len(concrete) > 150


def test_every_member_of_every_class_is_described() -> None:
    bookkeeping = {"_id", "_details", "_loaded", "_version"}
    classes = read_model_classes()
    for name, entity in ENTITIES.items():
        described = {field.attribute for field in entity.own.values()} | bookkeeping
        for member in classes[name].members:
            if not member.attribute.endswith(("Loaded", "CountPerOwner")):
                assert member.attribute in described, f"{name}.{member.attribute}"


@pytest.mark.parametrize(
    ("entity", "collection", "element", "inverse", "ordered"),
    [
        ("Plate", "wells", "Well", "plate", False),
        ("Well", "wellSamples", "WellSample", "well", True),
        ("Image", "wellSamples", "WellSample", "image", False),
        ("Image", "datasetLinks", "DatasetImageLink", "child", False),
        ("Image", "annotationLinks", "ImageAnnotationLink", "parent", False),
        ("Pixels", "channels", "Channel", "pixels", True),
        ("Experimenter", "groupExperimenterMap", "GroupExperimenterMap", "child", True),
        ("ExperimenterGroup", "groupExperimenterMap", "GroupExperimenterMap", "parent", False),
        ("Folder", "childFolders", "Folder", "parentFolder", False),
        ("RenderingDef", "waveRendering", "ChannelBinding", "renderingDef", True),
        ("Pixels", "pixelsFileMaps", "PixelsOriginalFileMap", "child", False),
    ],
)
def test_collections(entity: str, collection: str, element: str, inverse: str, ordered: bool) -> None:
    field = ENTITIES[entity].fields[collection]
    assert (field.kind, field.type, field.inverse, field.ordered) == (FieldKind.COLLECTION, element, inverse, ordered)


def test_every_collection_knows_its_inverse() -> None:
    for entity in ENTITIES.values():
        for field in entity.own.values():
            if field.kind is FieldKind.COLLECTION:
                assert field.inverse in ENTITIES[field.type].fields, f"{entity.name}.{field.name}"


def test_inheritance() -> None:
    tag = ENTITIES["TagAnnotation"]
    assert tag.root == "Annotation"
    assert tag.ancestry >= {"TagAnnotation", "TextAnnotation", "Annotation"}
    assert {"TagAnnotation", "MapAnnotation", "FileAnnotation"} <= ENTITIES["Annotation"].family
    assert ENTITIES["Annotation"].is_abstract
    assert not tag.is_abstract
    assert tag.java_name == "ome.model.annotations.TagAnnotation"
    assert ENTITIES["Annotation"].java_name == "ome.model.annotations.Annotation"
    found = ENTITIES["Annotation"].find_field("textValue")
    assert found is not None
    assert found.type == "string"


def test_classes_that_share_a_table_agree_on_their_columns() -> None:
    for root, entity in ENTITIES.items():
        if entity.root != root:
            continue
        merged = columns_of_root(root)
        for name in entity.family:
            for field in ENTITIES[name].stored_fields():
                assert (merged[column(field)].kind, merged[column(field)].type) == (field.kind, field.type), (
                    f"{name}.{field.name}"
                )


def test_system_types() -> None:
    for name in ("Experimenter", "ExperimenterGroup", "GroupExperimenterMap", "Session", "Event", "PixelsType"):
        assert is_system_type(name)
    for name in ("Image", "Annotation", "Plate", "Job", "ExternalInfo", "Roi"):
        assert not is_system_type(name)


@pytest.mark.parametrize(
    "name", ["Image", "image", "ImageI", "omero.model.Image", "omero.model.ImageI", "::omero::model::Image", "/Image"]
)
def test_entities_by_any_name(name: str) -> None:
    found = entity_named(name)
    assert found is not None
    assert found.name == "Image"


def test_unknown_names() -> None:
    assert entity_named("Nonsense") is None
    assert entity_of(m.WellI()).name == "Well"
    for thing in (m.DetailsI(), object(), m.PermissionsI()):
        with pytest.raises(omero.ApiUsageException):
            entity_of(thing)


def test_enumerations() -> None:
    assert {"PixelsType", "DimensionOrder", "EventType", "AdminPrivilege", "Format"} <= set(ENUMERATIONS)
    assert enumeration_values("PixelsType") == tuple(BITS_PER_PIXEL)
    assert enumeration_values("AdminPrivilege") == PRIVILEGES
    for name in ENUMERATIONS:
        values = enumeration_values(name)
        assert values
        assert len(set(values)) == len(values)


def test_the_schema_has_one_table_per_tree() -> None:
    tables = [each for each in create_statements() if each.startswith("CREATE TABLE e_")]
    assert len(tables) == len({entity.root for entity in ENTITIES.values()})


@pytest.mark.parametrize("first", ["import omero.gateway", "import Ice, IcePy", "pass"])
def test_import_order_does_not_matter(first: str) -> None:
    code = f"{first}\nfrom omero_sandbox.model.reflection import ENTITIES\nassert 'plate' in ENTITIES['Well'].fields"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


def test_references_back_are_in_plain_columns() -> None:
    """Queries over collections rely on it."""
    for entity in ENTITIES.values():
        for field in entity.own.values():
            if field.kind is FieldKind.COLLECTION and field.inverse:
                assert column(ENTITIES[field.type].fields[field.inverse]) == f"c_{field.inverse}"
    assert column(ENTITIES["Laser"].fields["type"]) == "c_Laser_type"
