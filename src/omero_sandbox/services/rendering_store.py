# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rendering settings in the database: RenderingDef, QuantumDef and ChannelBinding, and back to plain settings.

Everybody has settings of her own for an image. Who has none sees the image as its owner set it, and without those as
`omero_sandbox.pixels.settings.default_settings` says. Settings live in the group of the image; storing them needs the right to
annotate it.
"""

from __future__ import annotations

from typing import Any

import omero
import omero.model
import omero.sys
from omero.rtypes import rbool, rdouble, rint, rstring, unwrap

from omero_sandbox.pixels.settings import ChannelSettings, RenderingSettings, default_settings
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import Caller
from omero_sandbox.services.object_access import anywhere, in_group, require_annotatable
from omero_sandbox.services.pixel_sources import PixelSource, channel_infos
from omero_sandbox.store.database import Database
from omero_sandbox.store.saving import save

__all__ = [
    "apply_to_model",
    "find_definition",
    "load_definition",
    "make_defaults",
    "may_store",
    "new_definition",
    "settings_from_model",
    "store_settings",
]

_FETCH = (
    "select r from RenderingDef r join fetch r.model join fetch r.quantization left outer join fetch r.waveRendering w "
    "left outer join fetch w.family left outer join fetch w.spatialDomainEnhancement "
)


def make_defaults(database: Database, source: PixelSource) -> RenderingSettings:
    """Return the settings of an image for which nobody stored any. Reads pixels when their range is not known."""
    return default_settings(source.shape, channel_infos(database, source))


def find_definition(database: Database, source: PixelSource, caller: Caller, *, owner_id: int | None = None) -> Any | None:
    """Return the RenderingDef that the caller sees an image with: her own, else that of the image's owner, else None.

    With ``owner_id`` it is that user's or None.
    """
    parameters = omero.sys.ParametersI().addLong("pixels", source.pixels_id)
    found = execute_query(database, _FETCH + "where r.pixels.id = :pixels order by r.id", parameters, anywhere(caller))
    by_owner = {unwrap(each.details.owner.id): each for each in found}
    if owner_id is not None:
        return by_owner.get(owner_id)
    return by_owner.get(caller.user_id, by_owner.get(source.place.owner_id))


def load_definition(database: Database, definition_id: int, caller: Caller) -> Any | None:
    """Return a RenderingDef by its id, or None when it does not exist or may not be read."""
    parameters = omero.sys.ParametersI().addLong("id", definition_id)
    found = execute_query(database, _FETCH + "where r.id = :id", parameters, anywhere(caller))
    return found[0] if found else None


def may_store(database: Database, source: PixelSource, caller: Caller) -> bool:
    """Tell whether the caller may store settings of her own for an image."""
    try:
        require_annotatable(database, "Pixels", source.pixels_id, caller)
    except (omero.SecurityViolation, omero.ValidationException):
        return False
    return True


def store_settings(database: Database, source: PixelSource, settings: RenderingSettings, caller: Caller) -> int:
    """Store how the caller wants to see an image, in place of what she had, and return the id of the RenderingDef.

    Raises:
        omero.SecurityViolation: the caller may not annotate the image.
    """
    with database.transaction(write=True):
        place = require_annotatable(database, "Pixels", source.pixels_id, caller)
        assert place.group_id is not None
        definition = find_definition(database, source, caller, owner_id=caller.user_id)
        if definition is None:
            definition = new_definition(database, source)
        apply_to_model(database, settings, definition)
        (saved,) = save(database, [definition], in_group(caller, place.group_id))
        _drop_stale_contexts(database, unwrap(saved.id), settings)
        return int(unwrap(saved.id))


def new_definition(database: Database, source: PixelSource) -> Any:
    """Return a RenderingDef that is not stored yet, with one empty ChannelBinding per channel."""
    definition = omero.model.RenderingDefI()
    definition.pixels = omero.model.PixelsI(source.pixels_id, False)
    definition.quantization = omero.model.QuantumDefI()
    for _ in range(source.shape.size_c):
        definition.addChannelBinding(omero.model.ChannelBindingI())
    return definition


def settings_from_model(definition: Any, size_c: int) -> RenderingSettings:
    """Return the settings in a RenderingDef whose parts are loaded.

    Raises:
        ValueError: when it does not have a binding for each of ``size_c`` channels.
    """
    bindings = sorted(definition.copyWaveRendering(), key=lambda each: unwrap(each.id) or 0)
    if len(bindings) != size_c:
        raise ValueError(f"the rendering settings are for {len(bindings)} channels, the image has {size_c}")
    quantum = definition.quantization
    return RenderingSettings(
        channels=[_channel_from_model(each) for each in bindings],
        default_z=unwrap(definition.defaultZ),
        default_t=unwrap(definition.defaultT),
        model=unwrap(definition.model.value),
        codomain=(unwrap(quantum.cdStart), unwrap(quantum.cdEnd)),
        bit_resolution=unwrap(quantum.bitResolution),
        compression=unwrap(definition.compression) or 0.85,
        name=unwrap(definition.name),
    )


def _channel_from_model(binding: Any) -> ChannelSettings:
    contexts = binding.copySpatialDomainEnhancement() if binding.sizeOfSpatialDomainEnhancement() > 0 else []
    return ChannelSettings(
        window_start=unwrap(binding.inputStart),
        window_end=unwrap(binding.inputEnd),
        colour=tuple(unwrap(getattr(binding, name)) for name in ("red", "green", "blue", "alpha")),
        active=unwrap(binding.active),
        family=unwrap(binding.family.value),
        coefficient=unwrap(binding.coefficient),
        noise_reduction=unwrap(binding.noiseReduction),
        reverse=any(isinstance(each, omero.model.ReverseIntensityContext) for each in contexts),
        lut=unwrap(binding.lookupTable) or None,
    )


def apply_to_model(database: Database, settings: RenderingSettings, definition: Any) -> None:
    """Write ``settings`` into a RenderingDef that has a ChannelBinding for each channel."""
    definition.defaultZ = rint(settings.default_z)
    definition.defaultT = rint(settings.default_t)
    definition.compression = rdouble(settings.compression)
    definition.name = None if settings.name is None else rstring(settings.name)
    definition.model = _enumeration(database, "RenderingModel", settings.model)
    quantum = definition.quantization
    quantum.cdStart, quantum.cdEnd = (rint(each) for each in settings.codomain)
    quantum.bitResolution = rint(settings.bit_resolution)
    bindings = sorted(definition.copyWaveRendering(), key=lambda each: unwrap(each.id) or 0)
    for binding, channel in zip(bindings, settings.channels, strict=True):
        binding.inputStart, binding.inputEnd = rdouble(channel.window_start), rdouble(channel.window_end)
        binding.red, binding.green, binding.blue, binding.alpha = (rint(each) for each in channel.colour)
        binding.active = rbool(channel.active)
        binding.family = _enumeration(database, "Family", channel.family)
        binding.coefficient = rdouble(channel.coefficient)
        binding.noiseReduction = rbool(channel.noise_reduction)
        binding.lookupTable = None if channel.lut is None else rstring(channel.lut)
        if channel.reverse and not _is_reversed(binding):
            context = omero.model.ReverseIntensityContextI()
            context.reverse = rbool(True)
            binding.addCodomainMapContext(context)


def _is_reversed(binding: Any) -> bool:
    if binding.sizeOfSpatialDomainEnhancement() <= 0:
        return False
    return any(isinstance(each, omero.model.ReverseIntensityContext) for each in binding.copySpatialDomainEnhancement())


def _enumeration(database: Database, entity: str, value: str) -> Any:
    found = database.value(f"SELECT id FROM e_{entity} WHERE c_value = ?", value)  # noqa: S608 - entity is one of two names
    entry = getattr(omero.model, f"{entity}I")(found, True)
    entry.value = rstring(value)
    return entry


def _drop_stale_contexts(database: Database, definition_id: int, settings: RenderingSettings) -> None:
    """Remove the reversal of channels that are no longer reversed; the bindings are the caller's own by now."""
    rows = database.rows("SELECT id FROM e_ChannelBinding WHERE c_renderingDef = ? ORDER BY id", definition_id)
    for (binding_id,), channel in zip(rows, settings.channels, strict=True):
        if not channel.reverse:
            database.execute(
                "DELETE FROM e_CodomainMapContext WHERE c_channelBinding = ? AND dtype = 'ReverseIntensityContext'", binding_id
            )
