# SPDX-License-Identifier: AGPL-3.0-or-later
"""The part of the rendering engine that is about one channel: window, colour, lookup table, map, reversal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import omero.model
import omero.romio
from omero.rtypes import rbool, unwrap

from omero_sandbox.ice.dispatch import own_transactions
from omero_sandbox.ice.errors import api_usage
from omero_sandbox.pixels.settings import FAMILIES, ChannelSettings, RenderingSettings
from omero_sandbox.services.pixel_sources import PixelSource, channel_infos
from omero_sandbox.services.types import all_enumerations, enumeration

if TYPE_CHECKING:
    from omero_sandbox.security.caller import Caller
    from omero_sandbox.store.database import Database

__all__ = ["ChannelOperations", "enumeration_value"]


class ChannelOperations:
    """Operations on one channel. Classes that mix this in have a database, an open ``source`` and ``settings``."""

    database: Database
    source: PixelSource
    settings: RenderingSettings

    def _channel(self, index: int) -> ChannelSettings:
        if not 0 <= index < len(self.settings.channels):
            raise api_usage(f"There is no channel {index}; the image has {len(self.settings.channels)}.")
        return self.settings.channels[index]

    def getAvailableFamilies(self, caller: Caller) -> list[Any]:
        """The ways of mapping intensity to brightness."""
        return [each for each in all_enumerations(self.database, "Family", caller) if unwrap(each.value) in FAMILIES]

    def setQuantizationMap(self, channel: int, family: Any, coefficient: float, noise_reduction: bool, caller: Caller) -> None:
        """Choose how intensity maps to brightness."""
        value = enumeration_value(self.getAvailableFamilies(caller), family)
        if value is None or not 0 < coefficient < math.inf:
            raise api_usage(f"A map is one of {', '.join(FAMILIES)}, with a coefficient above 0.")
        chosen = self._channel(channel)
        chosen.family, chosen.coefficient, chosen.noise_reduction = value, coefficient, noise_reduction

    def getChannelFamily(self, channel: int, caller: Caller) -> Any:
        """How intensity maps to brightness."""
        return enumeration(self.database, "Family", self._channel(channel).family, caller)

    def getChannelCurveCoefficient(self, channel: int, caller: Caller) -> float:
        """The coefficient of that map."""
        return self._channel(channel).coefficient

    def getChannelNoiseReduction(self, channel: int, caller: Caller) -> bool:
        """OMERO's noise reduction flag; kept, without effect here."""
        return self._channel(channel).noise_reduction

    @own_transactions
    def getChannelStats(self, channel: int, caller: Caller) -> list[float]:
        """Lowest and highest intensity."""
        self._channel(channel)
        info = channel_infos(self.database, self.source)[channel]
        return [info.minimum, info.maximum]

    def getChannelWindowStart(self, channel: int, caller: Caller) -> float:
        """The intensity shown as black."""
        return self._channel(channel).window_start

    def getChannelWindowEnd(self, channel: int, caller: Caller) -> float:
        """The intensity shown at full brightness."""
        return self._channel(channel).window_end

    def setChannelWindow(self, channel: int, start: float, end: float, caller: Caller) -> None:
        """Choose which intensities are shown as black and at full brightness."""
        if not (math.isfinite(start) and math.isfinite(end) and start <= end):
            raise api_usage(f"A window goes from a lower to a higher intensity, not from {start} to {end}.")
        chosen = self._channel(channel)
        chosen.window_start, chosen.window_end = start, end

    def getRGBA(self, channel: int, caller: Caller) -> list[int]:
        """Colour and opacity, 0 to 255 each."""
        return list(self._channel(channel).colour)

    def setRGBA(self, channel: int, red: int, green: int, blue: int, alpha: int, caller: Caller) -> None:
        """Choose colour and opacity."""
        if not all(0 <= each <= 255 for each in (red, green, blue, alpha)):
            raise api_usage(f"A colour has parts from 0 to 255, not {red}, {green}, {blue}, {alpha}.")
        self._channel(channel).colour = (red, green, blue, alpha)

    def isActive(self, channel: int, caller: Caller) -> bool:
        """Whether the channel is shown."""
        return self._channel(channel).active

    def setActive(self, channel: int, active: bool, caller: Caller) -> None:
        """Show or hide the channel."""
        self._channel(channel).active = active

    def getChannelLookupTable(self, channel: int, caller: Caller) -> str:
        """The name of the lookup table, empty when the channel has a plain colour."""
        return self._channel(channel).lut or ""

    def setChannelLookupTable(self, channel: int, name: str, caller: Caller) -> None:
        """Choose a lookup table by name, or none."""
        self._channel(channel).lut = name or None

    def addCodomainMapToChannel(self, context: Any, channel: int, caller: Caller) -> None:
        """Reverse the channel."""
        _check_reversal(context)
        self._channel(channel).reverse = True

    def removeCodomainMapFromChannel(self, context: Any, channel: int, caller: Caller) -> None:
        """Undo the reversal of the channel."""
        _check_reversal(context)
        self._channel(channel).reverse = False

    def getCodomainMapContext(self, channel: int, caller: Caller) -> list[Any]:
        """Whether the channel is reversed, as a list of context objects."""
        if not self._channel(channel).reverse:
            return []
        context = omero.model.ReverseIntensityContextI()
        context.reverse = rbool(True)
        return [context]


def enumeration_value(entries: list[Any], wanted: Any) -> str | None:
    """Return the value of the entry that ``wanted`` names by its value or its id."""
    for entry in entries:
        by_value = getattr(wanted, "_value", None)
        if by_value is not None and unwrap(by_value) == unwrap(entry.value):
            return str(unwrap(entry.value))
        if by_value is None and wanted is not None and wanted.id is not None and unwrap(wanted.id) == unwrap(entry.id):
            return str(unwrap(entry.value))
    return None


def _check_reversal(context: Any) -> None:
    if not isinstance(context, omero.romio.ReverseIntensityMapContext | omero.model.ReverseIntensityContext):
        raise api_usage("The only codomain map of the embedded OMERO is the reversal of intensities.")
