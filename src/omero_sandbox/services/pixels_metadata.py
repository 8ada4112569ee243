# SPDX-License-Identifier: AGPL-3.0-or-later
"""IPixels: the description of pixels, making images, and stored rendering settings."""

from __future__ import annotations

from typing import Any

import omero
import omero.model
from omero.model.enums import UnitsLength
from omero.rtypes import rdouble, rint, rlong, rstring

from omero_sandbox.ice.dispatch import Service
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.container import id_parameters
from omero_sandbox.services.types import all_enumerations, enumeration
from omero_sandbox.store.saving import save

__all__ = ["PixelsService", "pixels_description"]

_DESCRIPTION = (
    "select p from Pixels p left outer join fetch p.pixelsType left outer join fetch p.dimensionOrder "
    "left outer join fetch p.image left outer join fetch p.channels c left outer join fetch c.statsInfo "
    "left outer join fetch c.logicalChannel lc left outer join fetch lc.photometricInterpretation "
    "left outer join fetch lc.illumination left outer join fetch lc.mode left outer join fetch lc.contrastMethod "
    "where p.id in (:ids)"
)
_SETTINGS = (
    "select r from RenderingDef r left outer join fetch r.quantization left outer join fetch r.model "
    "left outer join fetch r.details.owner left outer join fetch r.waveRendering w "
    "left outer join fetch w.family left outer join fetch w.spatialDomainEnhancement "
)


def pixels_description(database: Any, pixels_id: int, caller: Caller) -> Any:
    """Return pixels with type, dimension order, image and channels, or None when they may not be read."""
    found = execute_query(database, _DESCRIPTION, id_parameters([pixels_id]), caller)
    return found[0] if found else None


class PixelsService(Service):
    """Pixels as objects; their values are RawPixelsStore's."""

    def retrievePixDescription(self, pixels_id: int, caller: Caller) -> Any:
        """Pixels with everything a viewer needs to know."""
        return pixels_description(self.database, pixels_id, caller)

    def retrieveRndSettings(self, pixels_id: int, caller: Caller) -> Any:
        """The caller's rendering settings of pixels, or those of the pixels' owner, or None."""
        return self.retrieveRndSettingsFor(pixels_id, caller.user_id, caller)

    def retrieveRndSettingsFor(self, pixels_id: int, user_id: int, caller: Caller) -> Any:
        """A user's rendering settings of pixels, or those of the pixels' owner, or None."""
        query = f"{_SETTINGS}left outer join fetch r.pixels p where p.id in (:ids) order by r.id"
        settings = execute_query(self.database, query, id_parameters([pixels_id]), caller)
        own = [each for each in settings if each.details.owner.id.val == user_id]
        owners = [each for each in settings if each.details.owner.id.val == each.pixels.details.owner.id.val]
        return next(iter(own or owners), None)

    def retrieveAllRndSettings(self, pixels_id: int, user_id: int, caller: Caller) -> list[Any]:
        """All rendering settings of pixels; only one user's when her id is not negative."""
        query = f"{_SETTINGS}where r.pixels.id in (:ids) order by r.id"
        settings = execute_query(self.database, query, id_parameters([pixels_id]), caller)
        return [each for each in settings if user_id < 0 or each.details.owner.id.val == user_id]

    def loadRndSettings(self, settings_id: int, caller: Caller) -> Any:
        """Rendering settings by their own id."""
        found = execute_query(self.database, f"{_SETTINGS}where r.id in (:ids)", id_parameters([settings_id]), caller)
        return found[0] if found else None

    def saveRndSettings(self, settings: Any, caller: Caller) -> None:
        """Save changed rendering settings."""
        save(self.database, [settings], caller)

    def getBitDepth(self, pixels_type: Any, caller: Caller) -> int:
        """Bits per value of a pixels type."""
        found = execute_query(
            self.database, "select t from PixelsType t where t.id in (:ids)", id_parameters([pixels_type.id.val]), caller
        )
        if not found:
            raise api_usage("There is no such pixels type.")
        return int(found[0].bitSize.val)

    def getEnumeration(self, name: str, value: str, caller: Caller) -> Any:
        """One value of an enumeration."""
        return enumeration(self.database, name, value, caller)

    def getAllEnumerations(self, name: str, caller: Caller) -> list[Any]:
        """All values of an enumeration."""
        return all_enumerations(self.database, name, caller)

    def createImage(
        self,
        size_x: int,
        size_y: int,
        size_z: int,
        size_t: int,
        channels: list[int],
        pixels_type: Any,
        name: str,
        description: str,
        caller: Caller,
    ) -> omero.RLong:
        """Make an image without values and return its id; ``channels`` are emission wavelengths in nm."""
        if min(size_x, size_y, size_z, size_t, len(channels)) < 1:
            raise api_usage("Every dimension of an image is at least 1.")
        image = omero.model.ImageI()
        image.name, image.description = rstring(name), rstring(description) if description else None
        pixels = omero.model.PixelsI()
        pixels.sizeX, pixels.sizeY, pixels.sizeZ, pixels.sizeT = rint(size_x), rint(size_y), rint(size_z), rint(size_t)
        pixels.sizeC = rint(len(channels))
        pixels.significantBits = None
        pixels.sha1, pixels.methodology = rstring("Pending..."), rstring("")
        pixels.pixelsType = self._pixels_type(pixels_type, caller)
        pixels.dimensionOrder = enumeration(self.database, "DimensionOrder", "XYZCT", caller).proxy()
        for wavelength in channels:
            pixels.addChannel(_new_channel(float(wavelength)))
        image.addPixels(pixels)
        return rlong(save(self.database, [image], caller)[0].id.val)

    def setChannelGlobalMinMax(self, pixels_id: int, channel: int, low: float, high: float, caller: Caller) -> None:
        """Store the smallest and largest value of a channel."""
        pixels = pixels_description(self.database, pixels_id, caller)
        if pixels is None or not 0 <= channel < pixels.sizeC.val:
            raise api_usage(f"There are no pixels {pixels_id} with a channel {channel}.")
        found = pixels.getChannel(channel)
        statistics = found.statsInfo
        if statistics is None:
            statistics = found.statsInfo = omero.model.StatsInfoI()
        statistics.globalMin, statistics.globalMax = rdouble(low), rdouble(high)
        save(self.database, [statistics if statistics.id is not None else found], caller)

    def _pixels_type(self, pixels_type: Any, caller: Caller) -> Any:
        if pixels_type.id is not None:
            return omero.model.PixelsTypeI(pixels_type.id.val, False)
        return enumeration(self.database, "PixelsType", pixels_type.value.val, caller).proxy()


def _new_channel(wavelength: float) -> Any:
    channel, logical, statistics = omero.model.ChannelI(), omero.model.LogicalChannelI(), omero.model.StatsInfoI()
    if wavelength > 0:
        logical.emissionWave = omero.model.LengthI(wavelength, UnitsLength.NANOMETER)
    statistics.globalMin, statistics.globalMax = rdouble(0.0), rdouble(1.0)
    channel.logicalChannel, channel.statsInfo = logical, statistics
    return channel
