# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rendering through unmodified clients: pictures, and settings that are each user's own."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import omero
import omero.constants.projection
import omero.model
import omero.romio
import pytest
from omero.gateway import BlitzGateway, ImageWrapper
from omero.rtypes import rint, rstring
from PIL import Image

from ..people import People
from .test_pixel_services import PLANES, make_image

pytestmark = pytest.mark.stack

# Channel 0 is a ramp along x, channel 1 is flat; two sections.
RAMP = np.stack([np.stack([np.tile(np.arange(0, 256, dtype=np.uint8), (64, 1))] * 2), np.full((2, 64, 256), 100, np.uint8)])


@pytest.fixture
def owner(people: People) -> BlitzGateway:
    return people.connect("owner", "read-annotate")


@pytest.fixture
def image(owner: BlitzGateway) -> ImageWrapper:
    return make_image(owner, RAMP)


@pytest.fixture
def engine(owner: BlitzGateway, image: ImageWrapper) -> Iterator[Any]:
    engine = owner.c.sf.createRenderingEngine()
    engine.lookupPixels(image.getPixelsId(), owner.SERVICE_OPTS)
    engine.resetDefaultSettings(False, owner.SERVICE_OPTS)
    engine.load(owner.SERVICE_OPTS)
    yield engine
    engine.close()


def reopened(conn: BlitzGateway, image: ImageWrapper) -> ImageWrapper:
    return conn.getObject("Image", image.getId())


def windows(image: ImageWrapper) -> list[tuple[float, float]]:
    return [(channel.getWindowStart(), channel.getWindowEnd()) for channel in image.getChannels()]


def packed(engine: Any, plane: Any) -> np.ndarray:
    """The picture as an array of (pixel, red-green-blue)."""
    values = np.array(engine.renderAsPackedInt(plane), np.int32).view(np.uint32)
    return np.stack([(values >> shift) & 255 for shift in (16, 8, 0)], axis=-1)


def test_the_picture_is_the_pixels(engine: Any) -> None:
    plane = omero.romio.PlaneDef(omero.romio.XY, 0, 0, 0, 0, None, 0)
    engine.setActive(1, False)
    engine.setChannelWindow(0, 0, 255)
    engine.setRGBA(0, 255, 0, 255, 255)
    expected = np.stack([RAMP[0, 0].ravel(), np.zeros(64 * 256, int), RAMP[0, 0].ravel()], axis=-1)
    np.testing.assert_array_equal(packed(engine, plane), expected)
    buffer = engine.render(plane)
    assert [len(band) for band in buffer.bands] == [64 * 256] * 3
    assert bytes(buffer.bands[0]) == RAMP[0, 0].tobytes()
    jpeg = Image.open(io.BytesIO(engine.renderCompressed(plane)))
    assert jpeg.size == (256, 64)
    assert np.abs(np.asarray(jpeg).astype(int)[..., 0] - RAMP[0, 0]).max() < 12


def test_regions_projections_and_models(engine: Any) -> None:
    area = omero.romio.RegionDef(250, 60, 100, 100)
    plane = omero.romio.PlaneDef(omero.romio.XY, 0, 0, 1, 0, area, 0)
    assert len(engine.renderAsPackedInt(plane)) == 6 * 4
    maximum = omero.constants.projection.ProjectionType.MAXIMUMINTENSITY
    assert Image.open(io.BytesIO(engine.renderProjectedCompressed(maximum, 0, 1, 0, 1))).size == (256, 64)
    assert len(engine.renderProjectedAsPackedInt(maximum, 0, 1, 0, 0)) == 64 * 256
    grey = omero.model.RenderingModelI()
    grey.value = rstring("greyscale")
    engine.setModel(grey)
    assert engine.getModel().value.val == "greyscale"
    picture = packed(engine, omero.romio.PlaneDef(omero.romio.XY, 0, 0, 0, 0, None, 0))
    assert (picture[:, 0] == picture[:, 1]).all()
    assert engine.getPixels().getSizeC().val == 2
    assert engine.getPixels().getChannel(1).getStatsInfo().getGlobalMax().val == 100


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.setActive(2, True),
        lambda e: e.setActive(-1, True),
        lambda e: e.setChannelWindow(0, 5, 4),
        lambda e: e.setChannelWindow(0, math.nan, 4),
        lambda e: e.setRGBA(0, 256, 0, 0, 0),
        lambda e: e.setDefaultZ(2),
        lambda e: e.setDefaultT(-1),
        lambda e: e.setCodomainInterval(10, 256),
        lambda e: e.setQuantumStrategy(200),
        lambda e: e.setCompressionLevel(1.5),
        lambda e: e.setModel(omero.model.RenderingModelI()),
        lambda e: e.setQuantizationMap(0, omero.model.FamilyI(2**40, False), 1.0, False),
        lambda e: e.addCodomainMapToChannel(omero.romio.CodomainMapContext(), 0),
        lambda e: e.renderCompressed(omero.romio.PlaneDef(omero.romio.XY, 0, 0, 2, 0, None, 0)),
        lambda e: e.renderCompressed(omero.romio.PlaneDef(7, 0, 0, 0, 0, None, 0)),
        lambda e: e.renderCompressed(omero.romio.PlaneDef(omero.romio.XY, 0, 0, 0, 0, omero.romio.RegionDef(256, 0, 1, 1), 0)),
        lambda e: e.renderProjectedCompressed(omero.constants.projection.ProjectionType.SUMINTENSITY, 0, 1, 1, 0),
        lambda e: e.updateSettings(omero.model.RenderingDefI()),
        lambda e: e.loadRenderingDef(2**40),
    ],
)
def test_settings_that_make_no_sense_are_refused(engine: Any, call: Callable[[Any], object]) -> None:
    with pytest.raises((omero.ApiUsageException, omero.ValidationException)):
        call(engine)


def test_settings_are_kept_for_each_user(people: People, owner: BlitzGateway, image: ImageWrapper) -> None:
    member = people.connect("member", "read-annotate")
    assert windows(reopened(owner, image)) == [(0, 255), (100, 101)]
    mine = reopened(owner, image)
    mine.setActiveChannels([1, -2], [[10, 200], [20, 90]], ["FF8000", None])
    mine.setQuantizationMap(0, "exponential", 1.5)
    mine.setChannelInverted(0, True)
    assert mine.saveDefaults()
    mine = reopened(owner, image)
    first, second = mine.getChannels()
    assert (first.getColor().getHtml(), first.getFamily().getValue(), first.getCoefficient()) == ("FF8000", "exponential", 1.5)
    assert (first.isInverted(), first.isActive(), second.isActive()) == (True, True, False)
    assert windows(mine)[0] == (10, 200)
    # Who has none of her own sees the owner's; saving hers leaves the owner's alone.
    theirs = reopened(member, image)
    assert windows(theirs)[0] == (10, 200)
    theirs.setActiveChannels([1, 2], [[30, 40], [50, 60]], ["0000FF", "00FF00"])
    assert theirs.saveDefaults()
    assert windows(reopened(member, image)) == [(30, 40), (50, 60)]
    assert windows(reopened(owner, image))[0] == (10, 200)
    assert reopened(member, image).getRenderingDefId() != reopened(owner, image).getRenderingDefId()
    # Back to the defaults, and no longer inverted.
    mine.resetDefaults()
    mine = reopened(owner, image)
    assert windows(mine) == [(0, 255), (100, 101)]
    assert not mine.getChannels()[0].isInverted()


def test_greyscale_lookup_tables_and_quality_are_kept(owner: BlitzGateway, image: ImageWrapper) -> None:
    image.setActiveChannels([1, 2], [[0, 255], [0, 255]], ["cool.lut", "00FF00"])
    image.setGreyscaleRenderingModel()
    image._re.setDefaultZ(1)
    image._re.setCompressionLevel(0.5)
    image._re.setCodomainInterval(10, 240)
    assert image.saveDefaults()
    again = reopened(owner, image)
    assert again.isGreyscaleRenderingModel()
    assert [channel.getLut() or "" for channel in again.getChannels()] == ["cool.lut", ""]
    assert (again.getDefaultZ(), again._re.getCompressionLevel()) == (1, 0.5)
    quantum = again._re.getQuantumDef()
    assert (quantum.cdStart.val, quantum.cdEnd.val) == (10, 240)
    again.setActiveChannels([1, 2], [[0, 255], [0, 255]], ["FF0000", "00FF00"])
    again.setColorRenderingModel()
    again.saveDefaults()
    assert [channel.getLut() or "" for channel in reopened(owner, image).getChannels()] == ["", ""]


def test_who_may_store_settings(people: People) -> None:
    """Looking works wherever reading does; storing needs the right to annotate."""
    for kind in people.groups:
        image = make_image(people.connect("owner", kind), RAMP)
        for role in ("member", "leader"):
            conn = people.connect(role, kind)
            may_read = role == "leader" or kind != "private"
            may_store = kind in ("read-annotate", "read-write") or (role == "leader" and kind == "read-only")
            engine = conn.c.sf.createRenderingEngine()
            try:
                if not may_read:
                    with pytest.raises(omero.ValidationException):
                        engine.lookupPixels(image.getPixelsId(), conn.SERVICE_OPTS)
                    continue
                engine.lookupPixels(image.getPixelsId(), conn.SERVICE_OPTS)
                found = engine.lookupRenderingDef(image.getPixelsId(), conn.SERVICE_OPTS)
                assert not found
                definition = engine.resetDefaultSettings(True, conn.SERVICE_OPTS)
                assert (definition > 0) == may_store, (kind, role)
                engine.load()
                assert engine.renderCompressed(omero.romio.PlaneDef(omero.romio.XY, 0, 0, 0, 0, None, 0))
                if may_store:
                    engine.saveCurrentSettings()
                else:
                    with pytest.raises(omero.SecurityViolation):
                        engine.saveCurrentSettings()
                    with pytest.raises(omero.SecurityViolation):
                        conn.getRenderingSettingsService().resetDefaultsForPixels(image.getPixelsId(), conn.SERVICE_OPTS)
                assert reopened(conn, image).getThumbnail((32,))
                settings = conn.getRenderingSettingsService().getRenderingSettings(image.getPixelsId(), conn.SERVICE_OPTS)
                assert (settings is not None) == may_store
            finally:
                engine.close()


def test_settings_of_a_private_image_cannot_be_read(people: People) -> None:
    image = make_image(people.connect("owner", "private"), RAMP)
    image.setActiveChannels([1, 2], [[1, 2], [3, 4]], ["FF0000", "00FF00"])
    image.saveDefaults()
    definition = image.getRenderingDefId()
    visible = make_image(people.connect("owner", "read-annotate"), RAMP)
    member = people.connect("member", "read-annotate")
    engine = member.c.sf.createRenderingEngine()
    engine.lookupPixels(visible.getPixelsId(), member.SERVICE_OPTS)
    with pytest.raises(omero.ValidationException):
        engine.loadRenderingDef(definition, member.SERVICE_OPTS)
    engine.close()
    thumbnails = member.c.sf.createThumbnailStore()
    thumbnails.setPixelsId(visible.getPixelsId(), member.SERVICE_OPTS)
    with pytest.raises(omero.ValidationException):
        thumbnails.setRenderingDefId(definition, member.SERVICE_OPTS)
    thumbnails.close()


def test_copying_to_many_images(people: People, owner: BlitzGateway, image: ImageWrapper) -> None:
    same, other_channels = make_image(owner, RAMP), make_image(owner, RAMP[:1])
    other_type = make_image(owner, PLANES)
    image.setActiveChannels([1, 2], [[7, 77], [8, 88]], ["FF0000", "00FF00"])
    image.setChannelInverted(1, True)
    image.saveDefaults()
    targets = [same.getId(), other_channels.getId(), other_type.getId()]
    done = owner.applySettingsToSet(image.getId(), "Image", targets)
    assert done == {True: [same.getId()], False: [other_channels.getId(), other_type.getId()]}
    assert windows(reopened(owner, same)) == [(7, 77), (8, 88)]
    assert [channel.isInverted() for channel in reopened(owner, same).getChannels()] == [False, True]
    service = owner.getRenderingSettingsService()
    assert service.resetMinMaxInSet("Image", [same.getId()], owner.SERVICE_OPTS) == [same.getId()]
    assert windows(reopened(owner, same)) == [(0, 255), (100, 101)]
    assert [channel.isInverted() for channel in reopened(owner, same).getChannels()] == [False, True]
    assert service.resetDefaultsInSet("Image", [same.getId()], owner.SERVICE_OPTS) == [same.getId()]
    assert [channel.isInverted() for channel in reopened(owner, same).getChannels()] == [False, False]
    # A member takes over what the owner has set.
    member = people.connect("member", "read-annotate")
    theirs = reopened(member, image)
    theirs.setActiveChannels([1, 2], [[1, 2], [3, 4]], ["FF0000", "00FF00"])
    theirs.saveDefaults()
    service = member.getRenderingSettingsService()
    assert service.resetDefaultsByOwnerInSet("Image", [image.getId()], member.SERVICE_OPTS) == [image.getId()]
    assert windows(reopened(member, image)) == [(7, 77), (8, 88)]
    with pytest.raises(omero.ApiUsageException):
        service.resetDefaultsInSet("Experimenter", [1], member.SERVICE_OPTS)


def test_copying_to_a_plate(owner: BlitzGateway, image: ImageWrapper) -> None:
    fields = [make_image(owner, RAMP) for _ in range(2)]
    plate, well = omero.model.PlateI(), omero.model.WellI()
    plate.name, well.row, well.column = rstring("settings"), rint(0), rint(0)
    for each in fields:
        sample = omero.model.WellSampleI()
        sample.image = omero.model.ImageI(each.getId(), False)
        well.addWellSample(sample)
    plate.addWell(well)
    plate_id = owner.getUpdateService().saveAndReturnObject(plate, owner.SERVICE_OPTS).id.val
    image.setActiveChannels([1, 2], [[5, 6], [7, 8]], ["FF0000", "00FF00"])
    image.saveDefaults()
    done = owner.applySettingsToSet(image.getId(), "Plate", [plate_id])
    assert sorted(done[True]) == sorted(each.getId() for each in fields)
    assert windows(reopened(owner, fields[1])) == [(5, 6), (7, 8)]


def test_a_set_leaves_other_peoples_private_images_alone(people: People) -> None:
    """Naming an id of something unseen changes nothing and does not even tell that it exists."""
    hidden = make_image(people.connect("owner", "private"), RAMP)
    member = people.connect("member", "read-annotate")
    service = member.getRenderingSettingsService()
    assert service.resetDefaultsInSet("Image", [hidden.getId()], member.SERVICE_OPTS) == []
    with pytest.raises(omero.ValidationException):
        service.applySettingsToImages(hidden.getPixelsId(), [hidden.getId()], member.SERVICE_OPTS)
