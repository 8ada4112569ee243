# SPDX-License-Identifier: AGPL-3.0-or-later
"""IRenderingSettings: looking up, resetting and copying rendering settings, also for all images of a plate or a dataset.

Operations on a set go image by image: images that the caller may not annotate are left as they are and reported as not done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omero.rtypes import unwrap

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.settings import RenderingSettings
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.object_access import find_readable
from omero_sandbox.services.pixel_sources import PixelSource, channel_infos, open_pixels
from omero_sandbox.services.rendering_store import (
    apply_to_model,
    find_definition,
    make_defaults,
    may_store,
    new_definition,
    settings_from_model,
    store_settings,
)

__all__ = ["RenderingSettingsService"]

_OF_WELL_SAMPLE = "JOIN e_WellSample s ON s.c_image = p.c_image"
_PIXELS_IN = {
    "Pixels": "WHERE p.id = ?",
    "Image": "WHERE p.c_image = ?",
    "Dataset": "JOIN e_DatasetImageLink l ON l.c_child = p.c_image WHERE l.c_parent = ?",
    "Project": "JOIN e_DatasetImageLink l ON l.c_child = p.c_image JOIN e_ProjectDatasetLink k ON k.c_child = l.c_parent "
    "WHERE k.c_parent = ?",
    "Well": f"{_OF_WELL_SAMPLE} WHERE s.c_well = ?",
    "PlateAcquisition": f"{_OF_WELL_SAMPLE} WHERE s.c_plateAcquisition = ?",
    "Plate": f"{_OF_WELL_SAMPLE} JOIN e_Well w ON w.id = s.c_well WHERE w.c_plate = ?",
    "Screen": f"{_OF_WELL_SAMPLE} JOIN e_Well w ON w.id = s.c_well JOIN e_ScreenPlateLink l ON l.c_child = w.c_plate "
    "WHERE l.c_parent = ?",
}

_Change = Callable[[PixelSource], RenderingSettings | None]


class RenderingSettingsService(Service):
    """Rendering settings without a rendering engine."""

    # -- looking up -------------------------------------------------------------------------------------------------

    @own_transactions
    def getRenderingSettings(self, pixels_id: int, caller: Caller) -> Any:
        """The RenderingDef that the caller sees an image with, or None."""
        return find_definition(self.database, open_pixels(self.database, pixels_id, caller), caller)

    @own_transactions
    def sanityCheckPixels(self, one: Any, other: Any, caller: Caller) -> bool:
        """Tell whether settings of one image can be used for another."""
        sources = [open_pixels(self.database, unwrap(each.id), caller) for each in (one, other)]
        return _compatible(*sources)

    @own_transactions
    def createNewRenderingDef(self, pixels: Any, caller: Caller) -> Any:
        """Return default settings as a RenderingDef that is not stored."""
        return self.resetDefaultsNoSave(None, pixels, caller)

    @own_transactions
    def resetDefaultsNoSave(self, definition: Any, pixels: Any, caller: Caller) -> Any:
        """Return default settings as a RenderingDef that is not stored."""
        source = open_pixels(self.database, unwrap(pixels.id), caller)
        fresh = new_definition(self.database, source)
        apply_to_model(self.database, make_defaults(self.database, source), fresh)
        return fresh

    # -- one image --------------------------------------------------------------------------------------------------

    @own_transactions
    def resetDefaults(self, definition: Any, pixels: Any, caller: Caller) -> Any:
        """Store default settings and return them."""
        self.resetDefaultsForPixels(unwrap(pixels.id), caller)
        return self.getRenderingSettings(unwrap(pixels.id), caller)

    @own_transactions
    def resetDefaultsForPixels(self, pixels_id: int, caller: Caller) -> None:
        """Store default settings."""
        source = open_pixels(self.database, pixels_id, caller)
        store_settings(self.database, source, make_defaults(self.database, source), caller)

    @own_transactions
    def resetDefaultsInImage(self, image_id: int, caller: Caller) -> None:
        """Store default settings."""
        for pixels_id in self._pixels_in("Image", [image_id]):
            self.resetDefaultsForPixels(pixels_id, caller)

    @own_transactions
    def setOriginalSettingsForPixels(self, pixels_id: int, caller: Caller) -> None:
        """Store the settings an image came with: here, the defaults."""
        self.resetDefaultsForPixels(pixels_id, caller)

    @own_transactions
    def setOriginalSettingsInImage(self, image_id: int, caller: Caller) -> None:
        """Store the settings an image came with: here, the defaults."""
        self.resetDefaultsInImage(image_id, caller)

    @own_transactions
    def applySettingsToPixels(self, pixels_id: int, to_pixels_id: int, caller: Caller) -> bool:
        """Copy the caller's settings of one image to another; tells whether that could be done."""
        return bool(self._copy(pixels_id, [to_pixels_id], caller)[True])

    @own_transactions
    def applySettingsToImage(self, pixels_id: int, image_id: int, caller: Caller) -> bool:
        """Copy settings to an image; tells whether that could be done."""
        return bool(self.applySettingsToSet(pixels_id, "Image", [image_id], caller)[True])

    # -- sets -------------------------------------------------------------------------------------------------------

    @own_transactions
    def resetDefaultsInSet(self, kind: str, ids: list[int], caller: Caller) -> list[int]:
        """Store default settings for all images of plates, datasets …; returns the ids of the images done."""
        return self._change(self._pixels_in(kind, ids), lambda source: make_defaults(self.database, source), caller)[True]

    @own_transactions
    def setOriginalSettingsInSet(self, kind: str, ids: list[int], caller: Caller) -> list[int]:
        """Store the settings that the images came with: here, the defaults."""
        return self.resetDefaultsInSet(kind, ids, caller)

    @own_transactions
    def resetDefaultsInDataset(self, dataset_id: int, caller: Caller) -> list[int]:
        """Store default settings for all images of a dataset."""
        return self.resetDefaultsInSet("Dataset", [dataset_id], caller)

    @own_transactions
    def setOriginalSettingsInDataset(self, dataset_id: int, caller: Caller) -> list[int]:
        """Store default settings for all images of a dataset."""
        return self.resetDefaultsInSet("Dataset", [dataset_id], caller)

    @own_transactions
    def resetMinMaxInSet(self, kind: str, ids: list[int], caller: Caller) -> list[int]:
        """Set all windows to the full range of the channel and leave the rest as it is."""

        def widen(source: PixelSource) -> RenderingSettings:
            settings = self._current(source, caller) or make_defaults(self.database, source)
            for channel, info in zip(settings.channels, channel_infos(self.database, source), strict=True):
                channel.window_start, channel.window_end = info.minimum, max(info.maximum, info.minimum + 1)
            return settings

        return self._change(self._pixels_in(kind, ids), widen, caller)[True]

    @own_transactions
    def resetDefaultsByOwnerInSet(self, kind: str, ids: list[int], caller: Caller) -> list[int]:
        """Take over the settings of the images' owners."""

        def owners(source: PixelSource) -> RenderingSettings | None:
            definition = find_definition(self.database, source, caller, owner_id=source.place.owner_id)
            return None if definition is None else settings_from_model(definition, source.shape.size_c)

        return self._change(self._pixels_in(kind, ids), owners, caller)[True]

    @own_transactions
    def applySettingsToSet(self, pixels_id: int, kind: str, ids: list[int], caller: Caller) -> dict[bool, list[int]]:
        """Copy settings to all images of plates, datasets …; returns the ids of images done and not done."""
        return self._copy(pixels_id, self._pixels_in(kind, ids), caller)

    @own_transactions
    def applySettingsToProject(self, pixels_id: int, project_id: int, caller: Caller) -> dict[bool, list[int]]:
        """Copy settings to all images of a project."""
        return self.applySettingsToSet(pixels_id, "Project", [project_id], caller)

    @own_transactions
    def applySettingsToDataset(self, pixels_id: int, dataset_id: int, caller: Caller) -> dict[bool, list[int]]:
        """Copy settings to all images of a dataset."""
        return self.applySettingsToSet(pixels_id, "Dataset", [dataset_id], caller)

    @own_transactions
    def applySettingsToImages(self, pixels_id: int, image_ids: list[int], caller: Caller) -> dict[bool, list[int]]:
        """Copy settings to several images."""
        return self.applySettingsToSet(pixels_id, "Image", image_ids, caller)

    # -- below ------------------------------------------------------------------------------------------------------

    def _pixels_in(self, kind: str, ids: list[int]) -> list[int]:
        """The Pixels of all images in a container; whether the caller may read them is checked one by one."""
        name = kind.split(".")[-1]
        if name not in _PIXELS_IN:
            raise api_usage(f"Rendering settings can be set for {', '.join(_PIXELS_IN)}, not for {kind}.")
        sql = f"SELECT DISTINCT p.id FROM e_Pixels p {_PIXELS_IN[name]} ORDER BY p.id"  # noqa: S608 - from the table above
        found = [row[0] for each in ids for row in self.database.rows(sql, each)]
        return list(dict.fromkeys(found))

    def _current(self, source: PixelSource, caller: Caller) -> RenderingSettings | None:
        definition = find_definition(self.database, source, caller)
        return None if definition is None else settings_from_model(definition, source.shape.size_c)

    def _copy(self, pixels_id: int, targets: list[int], caller: Caller) -> dict[bool, list[int]]:
        original = open_pixels(self.database, pixels_id, caller)
        settings = self._current(original, caller) or make_defaults(self.database, original)

        def copied(target: PixelSource) -> RenderingSettings | None:
            if not _compatible(original, target):
                return None
            adapted = settings.copy()
            adapted.default_z = min(adapted.default_z, target.shape.size_z - 1)
            adapted.default_t = min(adapted.default_t, target.shape.size_t - 1)
            return adapted

        return self._change(targets, copied, caller)

    def _change(self, pixels_ids: list[int], change: _Change, caller: Caller) -> dict[bool, list[int]]:
        """Store what ``change`` returns for each image; None leaves an image as it is."""
        outcome: dict[bool, list[int]] = {True: [], False: []}
        for pixels_id in pixels_ids:
            if find_readable(self.database, "Pixels", pixels_id, caller) is None:
                continue
            source = open_pixels(self.database, pixels_id, caller)
            settings = change(source) if may_store(self.database, source, caller) else None
            if settings is not None:
                store_settings(self.database, source, settings, caller)
            outcome[settings is not None].append(source.image_id)
        return outcome


def _compatible(one: PixelSource, other: PixelSource) -> bool:
    return one.shape.size_c == other.shape.size_c and one.buffer.pixel_type == other.buffer.pixel_type
