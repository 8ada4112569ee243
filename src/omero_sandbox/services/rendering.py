# SPDX-License-Identifier: AGPL-3.0-or-later
"""RenderingEngine: pictures of an image, and the settings they are drawn with.

Changes to the settings stay in this service until they are saved; then they are the caller's own (see ``rendering_store``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import omero
import omero.api
import omero.model
import omero.romio
from omero.rtypes import rint, unwrap

from omero_sandbox.ice.dispatch import Service, own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.buffers import OutOfBoundsError
from omero_sandbox.pixels.rendering import Region, encode_jpeg, packed_argb, project, render_plane
from omero_sandbox.pixels.settings import MODELS, RenderingSettings, type_bounds
from omero_sandbox.services.object_access import require_readable
from omero_sandbox.services.pixel_sources import PixelSource, SingleResolution, open_pixels
from omero_sandbox.services.pixels_metadata import PixelsService
from omero_sandbox.services.rendering_channels import ChannelOperations, enumeration_value
from omero_sandbox.services.rendering_store import (
    find_definition,
    load_definition,
    make_defaults,
    may_store,
    settings_from_model,
    store_settings,
)
from omero_sandbox.services.types import all_enumerations, enumeration

if TYPE_CHECKING:
    from omero_sandbox.ice.server import SandboxServer
    from omero_sandbox.ice.sessions import Session
    from omero_sandbox.security.caller import Caller

__all__ = ["RenderingEngineService"]

_CUTS = {omero.romio.XY: "xy", omero.romio.ZY: "zy", omero.romio.XZ: "xz"}
_PROJECTIONS = {"MAXIMUMINTENSITY": "maximum", "MEANINTENSITY": "mean", "SUMINTENSITY": "sum"}
_UNSAVED = -1


class RenderingEngineService(ChannelOperations, SingleResolution, Service):
    """One client's view of one image at a time."""

    def __init__(self, server: SandboxServer, session: Session) -> None:
        super().__init__(server, session)
        self._source: PixelSource | None = None
        self._settings: RenderingSettings | None = None
        self._definition_id = _UNSAVED
        self._quality = 0.85

    @property
    def source(self) -> PixelSource:  # type: ignore[override]
        """The Pixels object in use."""
        if self._source is None:
            raise api_usage("Call lookupPixels first: the rendering engine does not know which image is meant.")
        return self._source

    @property
    def settings(self) -> RenderingSettings:  # type: ignore[override]
        """The settings in use; the defaults as long as nobody chose any."""
        if self._settings is None:
            self._settings = make_defaults(self.database, self.source)
        return self._settings

    # -- choosing an image and its settings -------------------------------------------------------------------------

    @own_transactions
    def lookupPixels(self, pixels_id: int, caller: Caller) -> None:
        """Choose the image."""
        self._source = open_pixels(self.database, pixels_id, caller)
        self._settings, self._definition_id = None, _UNSAVED

    @own_transactions
    def lookupRenderingDef(self, pixels_id: int, caller: Caller) -> bool:
        """Use the settings stored for the caller, or the image's owner; tells whether there are any."""
        if pixels_id != self.source.pixels_id:
            raise api_usage(f"The rendering engine shows pixels {self.source.pixels_id}, not {pixels_id}.")
        definition = find_definition(self.database, self.source, caller)
        if definition is None:
            return False
        self._use(definition)
        return True

    @own_transactions
    def loadRenderingDef(self, definition_id: int, caller: Caller) -> None:
        """Use the settings with this id, whoever's they are."""
        require_readable(self.database, "RenderingDef", definition_id, caller)
        definition = load_definition(self.database, definition_id, caller)
        if definition is None:
            raise api_usage(f"There are no rendering settings {definition_id}.")
        self._use(definition)

    def _use(self, definition: Any) -> None:
        self._settings = _settings(definition, self.source)
        self._definition_id = unwrap(definition.id)
        self._quality = self._settings.compression

    @own_transactions
    def load(self, caller: Caller) -> None:
        """Get ready to render."""
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        self._settings = self.settings

    @own_transactions
    def resetDefaultSettings(self, save: bool, caller: Caller) -> int:
        """Go back to the defaults, store them if asked to, and return the id of the stored settings (-1 if there are none).

        Clients ask for storing before they know whether the caller may; who may only look gets the defaults unstored.
        """
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        self._settings = make_defaults(self.database, self.source)
        if save and may_store(self.database, self.source, caller):
            self._definition_id = store_settings(self.database, self.source, self._settings, caller)
        return self._definition_id

    @own_transactions
    def saveCurrentSettings(self, caller: Caller) -> None:
        """Store the settings in use as the caller's own."""
        self.settings.compression = self._quality
        self._definition_id = store_settings(self.database, self.source, self.settings, caller)

    @own_transactions
    def saveAsNewSettings(self, caller: Caller) -> int:
        """Store the settings in use as the caller's own and return their id; a user has one set per image here."""
        self.saveCurrentSettings(caller)
        return self._definition_id

    @own_transactions
    def updateSettings(self, definition: Any, caller: Caller) -> None:
        """Use the settings in a RenderingDef that the client sends, without storing them."""
        self._settings = _settings(definition, self.source)

    def getRenderingDefId(self, caller: Caller) -> int:
        """The id of the stored settings in use, -1 when they are not stored."""
        return self._definition_id

    # -- the picture ------------------------------------------------------------------------------------------------

    @own_transactions
    def renderCompressed(self, plane: Any, caller: Caller) -> bytes:
        """A plane as JPEG."""
        return encode_jpeg(self._plane(plane, caller), self._quality)

    @own_transactions
    def renderAsPackedInt(self, plane: Any, caller: Caller) -> list[int]:
        """A plane as one integer per pixel: alpha, red, green, blue."""
        return packed_argb(self._plane(plane, caller)).tolist()

    @own_transactions
    def render(self, plane: Any, caller: Caller) -> Any:
        """A plane as three bands of bytes."""
        picture = self._plane(plane, caller)
        height, width = picture.shape[:2]
        bands = [np.ascontiguousarray(picture[..., band]).tobytes() for band in range(3)]
        return omero.romio.RGBBuffer(bands, width, height)

    @own_transactions
    def renderProjectedCompressed(self, algorithm: Any, t: int, stepping: int, start: int, end: int, caller: Caller) -> bytes:
        """A projection through the sections ``start`` to ``end`` as JPEG."""
        return encode_jpeg(self._projection(algorithm, t, stepping, start, end, caller), self._quality)

    @own_transactions
    def renderProjectedAsPackedInt(
        self, algorithm: Any, t: int, stepping: int, start: int, end: int, caller: Caller
    ) -> list[int]:
        """A projection as one integer per pixel."""
        return packed_argb(self._projection(algorithm, t, stepping, start, end, caller)).tolist()

    def _plane(self, plane: Any, caller: Caller) -> np.ndarray:
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        if plane.slice not in _CUTS or plane.stride < 0:
            raise api_usage("A plane is cut in XY, ZY or XZ, with a stride of 0 or more.")
        area = plane.region
        try:
            return render_plane(
                self.source.buffer,
                self.settings,
                z=plane.z,
                t=plane.t,
                region=None if area is None else Region(area.x, area.y, area.width, area.height),
                cut=_CUTS[plane.slice],  # type: ignore[arg-type]
                position=plane.x if plane.slice == omero.romio.ZY else plane.y,
                stride=plane.stride,
            )
        except OutOfBoundsError as error:
            raise api_usage(f"{error}.") from error

    def _projection(self, algorithm: Any, t: int, stepping: int, start: int, end: int, caller: Caller) -> np.ndarray:
        require_readable(self.database, "Pixels", self.source.pixels_id, caller)
        method = _PROJECTIONS[str(algorithm)]
        try:
            return project(
                self.source.buffer,
                self.settings,
                t=t,
                method=method,  # type: ignore[arg-type]
                first=start,
                last=end,
                stepping=stepping,
            )
        except OutOfBoundsError as error:
            raise api_usage(f"{error}.") from error

    # -- settings of the whole image --------------------------------------------------------------------------------

    def getPixels(self, caller: Caller) -> Any:
        """The Pixels object with its channels."""
        return PixelsService(self.server, self.session).retrievePixDescription(self.source.pixels_id, caller)

    def getAvailableModels(self, caller: Caller) -> list[Any]:
        """The rendering models."""
        return [each for each in all_enumerations(self.database, "RenderingModel", caller) if unwrap(each.value) in MODELS]

    def getModel(self, caller: Caller) -> Any:
        """The rendering model in use."""
        return enumeration(self.database, "RenderingModel", self.settings.model, caller)

    def setModel(self, model: Any, caller: Caller) -> None:
        """Choose colour or grey."""
        value = enumeration_value(self.getAvailableModels(caller), model)
        if value is None:
            raise api_usage(f"A rendering model is one of {', '.join(MODELS)}.")
        self.settings.model = value

    def getDefaultZ(self, caller: Caller) -> int:
        """The section that is shown first."""
        return self.settings.default_z

    def setDefaultZ(self, z: int, caller: Caller) -> None:
        """Choose the section that is shown first."""
        _check_index("section", z, self.source.shape.size_z)
        self.settings.default_z = z

    def getDefaultT(self, caller: Caller) -> int:
        """The time point that is shown first."""
        return self.settings.default_t

    def setDefaultT(self, t: int, caller: Caller) -> None:
        """Choose the time point that is shown first."""
        _check_index("time point", t, self.source.shape.size_t)
        self.settings.default_t = t

    def getQuantumDef(self, caller: Caller) -> Any:
        """The range of brightness in use, as a QuantumDef."""
        quantum = omero.model.QuantumDefI()
        quantum.cdStart, quantum.cdEnd = (rint(each) for each in self.settings.codomain)
        quantum.bitResolution = rint(self.settings.bit_resolution)
        return quantum

    def setCodomainInterval(self, start: int, end: int, caller: Caller) -> None:
        """Choose the range of brightness, within 0 to 255."""
        if not 0 <= start <= end <= 255:
            raise api_usage(f"Brightness lies within 0 to 255, not {start} to {end}.")
        self.settings.codomain = (start, end)

    def setQuantumStrategy(self, bit_resolution: int, caller: Caller) -> None:
        """Choose the bit resolution: one less than a power of two, up to 255. Pictures always have 8 bits here."""
        if bit_resolution not in {2**bits - 1 for bits in range(1, 9)}:
            raise api_usage(f"{bit_resolution} is not a bit resolution; use 1, 3, 7 … 255.")
        self.settings.bit_resolution = bit_resolution

    def getCompressionLevel(self, caller: Caller) -> float:
        """The JPEG quality, 0 to 1."""
        return self._quality

    def setCompressionLevel(self, level: float, caller: Caller) -> None:
        """Choose the JPEG quality, 0 to 1."""
        if not 0 <= level <= 1:
            raise api_usage(f"The compression level lies within 0 and 1, not {level}.")
        self._quality = level

    def isPixelsTypeSigned(self, caller: Caller) -> bool:
        """Whether intensities can be negative."""
        return self.source.buffer.dtype.kind in "if"

    def getPixelsTypeLowerBound(self, channel: int, caller: Caller) -> float:
        """The lowest intensity that the pixel type can hold."""
        return type_bounds(self.source.buffer.pixel_type)[0]

    def getPixelsTypeUpperBound(self, channel: int, caller: Caller) -> float:
        """The highest intensity that the pixel type can hold."""
        return type_bounds(self.source.buffer.pixel_type)[1]


def _settings(definition: Any, source: PixelSource) -> RenderingSettings:
    try:
        return settings_from_model(definition, source.shape.size_c)
    except (AttributeError, TypeError, ValueError) as error:
        raise api_usage(f"These rendering settings do not fit pixels {source.pixels_id}: {error}.") from error


def _check_index(name: str, value: int, extent: int) -> None:
    if not 0 <= value < extent:
        raise api_usage(f"There is no {name} {value}; the image has {extent}.")
