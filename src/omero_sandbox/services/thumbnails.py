# SPDX-License-Identifier: AGPL-3.0-or-later
"""ThumbnailStore: small pictures of one image or of many, as the caller has set them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from omero.rtypes import unwrap

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.buffers import PixelBuffer
from omero_sandbox.pixels.settings import RenderingSettings
from omero_sandbox.pixels.thumbnails import MAX_SIDE, fit_longest_side, thumbnail, thumbnail_folder
from omero_sandbox.services.object_access import find_readable, require_readable
from omero_sandbox.services.pixel_sources import PixelSource, open_pixels
from omero_sandbox.services.rendering_store import (
    find_definition,
    load_definition,
    make_defaults,
    may_store,
    settings_from_model,
    store_settings,
)

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller

__all__ = ["ThumbnailStoreService"]

_DEFAULT_SIDE = 48
_MOST_IN_A_SET = 2000

_Size = Callable[[PixelBuffer], tuple[int, int]]


class ThumbnailStoreService(Service):
    """Thumbnails. The picture is made when it is first asked for and kept on disk."""

    def __init__(self, server: SandboxServer, session: Session) -> None:
        super().__init__(server, session)
        self._source: PixelSource | None = None
        self._definition: Any = None

    @property
    def source(self) -> PixelSource:
        """The Pixels object in use."""
        if self._source is None:
            raise api_usage("Call setPixelsId first: the thumbnail store does not know which image is meant.")
        return self._source

    @own_transactions
    def setPixelsId(self, pixels_id: int, caller: Caller) -> bool:
        """Choose the image; tells whether there are rendering settings for it."""
        self._source = open_pixels(self.database, pixels_id, caller)
        self._definition = find_definition(self.database, self._source, caller)
        return self._definition is not None

    @own_transactions
    def setRenderingDefId(self, definition_id: int, caller: Caller) -> None:
        """Choose whose settings to use."""
        require_readable(self.database, "RenderingDef", definition_id, caller)
        self._definition = load_definition(self.database, definition_id, caller)

    def getRenderingDefId(self, caller: Caller) -> int:
        """The id of the settings in use."""
        if self._definition is None:
            raise api_usage(f"There are no stored rendering settings for pixels {self.source.pixels_id}.")
        return int(unwrap(self._definition.id))

    @own_transactions
    def resetDefaults(self, caller: Caller) -> None:
        """Store default settings; who may only look at the image gets them unstored."""
        if may_store(self.database, self.source, caller):
            store_settings(self.database, self.source, make_defaults(self.database, self.source), caller)
            self._definition = find_definition(self.database, self.source, caller)

    def isInProgress(self, caller: Caller) -> bool:
        """Whether the last thumbnail was a placeholder: never, there are no pyramids to wait for."""
        return False

    @own_transactions
    def thumbnailExists(self, width: Any, height: Any, caller: Caller) -> bool:
        """Whether a thumbnail can be had: always, as it is made when asked for."""
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        return True

    # -- one image --------------------------------------------------------------------------------------------------

    @own_transactions
    def getThumbnail(self, width: Any, height: Any, caller: Caller) -> bytes:
        """A thumbnail of exactly this size."""
        return self._picture(_exactly(width, height), caller)

    @own_transactions
    def getThumbnailDirect(self, width: Any, height: Any, caller: Caller) -> bytes:
        """The same; OMERO leaves the cache out here, ours is never stale."""
        return self._picture(_exactly(width, height), caller)

    @own_transactions
    def getThumbnailWithoutDefault(self, width: Any, height: Any, caller: Caller) -> bytes:
        """The same; OMERO returns nothing where it would show a placeholder, we have none."""
        return self._picture(_exactly(width, height), caller)

    @own_transactions
    def getThumbnailByLongestSide(self, side: Any, caller: Caller) -> bytes:
        """A thumbnail whose longer side has this size."""
        return self._picture(_longest_side(side), caller)

    @own_transactions
    def getThumbnailByLongestSideDirect(self, side: Any, caller: Caller) -> bytes:
        """The same; OMERO leaves the cache out here, ours is never stale."""
        return self._picture(_longest_side(side), caller)

    @own_transactions
    def getThumbnailForSectionDirect(self, z: int, t: int, width: Any, height: Any, caller: Caller) -> bytes:
        """A thumbnail of another section or time point."""
        return self._picture(_exactly(width, height), caller, z, t)

    @own_transactions
    def getThumbnailForSectionByLongestSideDirect(self, z: int, t: int, side: Any, caller: Caller) -> bytes:
        """A thumbnail of another section or time point."""
        return self._picture(_longest_side(side), caller, z, t)

    @own_transactions
    def createThumbnail(self, width: Any, height: Any, caller: Caller) -> None:
        """Make a thumbnail now, for later."""
        self._picture(_exactly(width, height), caller)

    @own_transactions
    def createThumbnails(self, caller: Caller) -> None:
        """Make the usual thumbnails now, for later."""
        self._picture(_longest_side(None), caller)

    # -- many images ------------------------------------------------------------------------------------------------

    @own_transactions
    def getThumbnailSet(self, width: Any, height: Any, pixels_ids: list[int], caller: Caller) -> dict[int, bytes]:
        """Thumbnails by Pixels id; images that the caller may not see are left out."""
        return self._pictures(_exactly(width, height), pixels_ids, caller)

    @own_transactions
    def getThumbnailByLongestSideSet(self, side: Any, pixels_ids: list[int], caller: Caller) -> dict[int, bytes]:
        """Thumbnails by Pixels id; images that the caller may not see are left out."""
        return self._pictures(_longest_side(side), pixels_ids, caller)

    @own_transactions
    def createThumbnailsByLongestSideSet(self, side: Any, pixels_ids: list[int], caller: Caller) -> None:
        """Make thumbnails now, for later."""
        self._pictures(_longest_side(side), pixels_ids, caller)

    # -- below ------------------------------------------------------------------------------------------------------

    def _pictures(self, size: _Size, pixels_ids: list[int], caller: Caller) -> dict[int, bytes]:
        if len(pixels_ids) > _MOST_IN_A_SET:
            raise api_usage(f"Ask for at most {_MOST_IN_A_SET} thumbnails at once, not {len(pixels_ids)}.")
        pictures = {}
        for pixels_id in dict.fromkeys(pixels_ids):
            if find_readable(self.database, "Pixels", pixels_id, caller) is None:
                continue
            source = open_pixels(self.database, pixels_id, caller)
            definition = find_definition(self.database, source, caller)
            pictures[pixels_id] = self._draw(source, definition, size)
        return pictures

    def _picture(self, size: _Size, caller: Caller, z: int | None = None, t: int | None = None) -> bytes:
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        return self._draw(self.source, self._definition, size, z, t)

    def _draw(self, source: PixelSource, definition: Any, size: _Size, z: int | None = None, t: int | None = None) -> bytes:
        try:
            return thumbnail(
                source.buffer,
                self._settings(source, definition),
                size(source.buffer),
                cache=thumbnail_folder(self.database.folder, source.pixels_id),
                z=z,
                t=t,
            )
        except ValueError as error:  # a size, section or time point that cannot be
            raise api_usage(f"{error}.") from error

    def _settings(self, source: PixelSource, definition: Any) -> RenderingSettings:
        if definition is None:
            return make_defaults(self.database, source)
        return settings_from_model(definition, source.shape.size_c)


def _exactly(width: Any, height: Any) -> _Size:
    size = (_side(width), _side(height))
    return lambda buffer: size


def _longest_side(side: Any) -> _Size:
    wanted = _side(side)
    return lambda buffer: fit_longest_side(buffer, wanted)


def _side(value: Any) -> int:
    side = unwrap(value)
    if side is None:
        return _DEFAULT_SIDE
    if not 1 <= side <= MAX_SIDE:
        raise api_usage(f"A thumbnail has 1 to {MAX_SIDE} pixels on each side, not {side}.")
    return int(side)
