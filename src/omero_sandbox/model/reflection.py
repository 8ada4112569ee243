# SPDX-License-Identifier: AGPL-3.0-or-later
"""The registry of OMERO's entities: what fields each has, how they are stored and how they point at one another.

Nothing here is written by hand. Members and base classes come from the generated Ice modules (`slice_sources`); what only the
Python implementations know is asked of them: which reference an element of a collection holds to its owner (by adding a probe
to the collection), whether a collection is ordered, which fields may be empty, which entities are *global* (system types
without owner and group), immutable, or links.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache, cached_property
from typing import Any

import omero
import omero.all
import omero.model

from omero_sandbox.model.slice_sources import SliceClass, SliceMember, read_model_classes

__all__ = [
    "ENTITIES",
    "ENUMERATIONS",
    "UNIT_TYPES",
    "Entity",
    "Field",
    "FieldKind",
    "entity_named",
    "entity_of",
    "is_system_type",
]

UNIT_TYPES = frozenset({"ElectricPotential", "Frequency", "Length", "Power", "Pressure", "Temperature", "Time"})
_RTYPES = {
    "RString": "string",
    "RInt": "int",
    "RLong": "long",
    "RDouble": "double",
    "RFloat": "float",
    "RBool": "bool",
    "RTime": "time",
}
# Set by the server on every object; not fields of their own.
_EMBEDDED = frozenset({"_id", "_details", "_loaded", "_version"})


class FieldKind(Enum):
    """How a field is represented."""

    SCALAR = "scalar"  # an RType: type is string, int, long, double, float, bool or time
    UNIT = "unit"  # a value with a unit: type is Length, Time, …
    REFERENCE = "reference"  # another entity: type is its name
    COLLECTION = "collection"  # many other entities, each pointing back by `inverse`
    NAMED_VALUES = "named values"  # an ordered list of name/value pairs
    STRINGS = "strings"  # a list of strings
    BYTES = "bytes"


@dataclass(frozen=True)
class Field:
    """One property of an entity, as HQL and the Ice classes know it."""

    name: str
    kind: FieldKind
    type: str
    attribute: str
    nullable: bool = True
    inverse: str | None = None
    ordered: bool = False
    qualifier: str = ""  # the entity's name, where another one in the same table has a different field of this name

    @property
    def loaded_attribute(self) -> str:
        """The flag beside a collection that says whether it was fetched, e.g. ``_wellsLoaded``."""
        return f"_{self.name}Loaded"


@dataclass
class Entity:
    """One class of the OMERO model that is an `IObject`."""

    name: str
    base: str | None
    own: dict[str, Field]
    subclasses: list[str] = field(default_factory=list)
    is_system: bool = False
    is_mutable: bool = True
    is_link: bool = False
    is_versioned: bool = True
    is_abstract: bool = False
    java_name: str = ""

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Own and inherited fields by name."""
        inherited = ENTITIES[self.base].fields if self.base else {}
        return {**inherited, **self.own}

    @cached_property
    def root(self) -> str:
        """The topmost class of the inheritance tree; all of it shares one table."""
        return ENTITIES[self.base].root if self.base else self.name

    @cached_property
    def family(self) -> frozenset[str]:
        """This entity and all that derive from it."""
        return frozenset({self.name}.union(*(ENTITIES[name].family for name in self.subclasses)))

    @cached_property
    def ancestry(self) -> frozenset[str]:
        """This entity and all that it derives from."""
        return frozenset({self.name}) | (ENTITIES[self.base].ancestry if self.base else frozenset())

    @property
    def implementation(self) -> Any:
        """The Python class, e.g. ``omero.model.WellI``."""
        return getattr(omero.model, self.name + "I")

    def find_field(self, name: str) -> Field | None:
        """A field of this entity or, as HQL allows, of one of its subclasses (``Annotation.textValue``)."""
        if name in self.fields:
            return self.fields[name]
        for subclass in sorted(self.family):
            if name in ENTITIES[subclass].fields:
                return ENTITIES[subclass].fields[name]
        return self.find_field(name[:-3]) if name.endswith("Seq") else None

    def stored_fields(self) -> Iterator[Field]:
        """Fields that live in this entity's row (all but collections)."""
        return (each for each in self.fields.values() if each.kind is not FieldKind.COLLECTION)

    def new(self) -> Any:
        """An empty, loaded instance of the Python class."""
        return self.implementation()


class _Probe:
    """Stands in for an element added to a collection and remembers which setter points it back at the owner."""

    setter: str | None = None

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("set"):
            raise AttributeError(name)
        self.setter = name
        return lambda *_args: None


def _instance(name: str) -> Any:
    with warnings.catch_warnings(record=True):  # Path and ImportJob say on construction that they are deprecated
        return getattr(omero.model, name + "I")()


def _is_concrete(name: str) -> bool:
    return hasattr(omero.model, name + "I")


@cache
def _collection_facts(name: str) -> dict[str, tuple[str, bool]]:
    """Of a concrete class: collection name -> (reference that points back, is ordered)."""
    owner = _instance(name)
    cls = type(owner)
    ordered: set[str] = set()
    facts: dict[str, tuple[str, bool]] = {}
    for method_name, method in inspect.getmembers(cls, inspect.isfunction):
        if method_name.startswith("get") and "index" in method.__code__.co_varnames:
            ordered.update(n[1:-3] for n in method.__code__.co_names if n.endswith("Seq"))
    for method_name, method in inspect.getmembers(cls, inspect.isfunction):
        if method_name.startswith("add") and method.__code__.co_varnames[1:2] == ("target",):
            probe = _Probe()
            method(owner, probe)
            if probe.setter is None:
                continue
            inverse = probe.setter[3].lower() + probe.setter[4:]
            for attribute, value in vars(owner).items():
                if attribute.endswith("Seq") and isinstance(value, list) and any(each is probe for each in value):
                    collection = attribute[1:-3]
                    facts[collection] = (inverse, collection in ordered)
    return facts


def _concrete_in(name: str, classes: dict[str, SliceClass]) -> str | None:
    """`name` itself or a concrete class below it."""
    if _is_concrete(name):
        return name
    for other in sorted(classes):
        if classes[other].base == name:
            found = _concrete_in(other, classes)
            if found:
                return found
    return None


def _field(member: SliceMember, entity_names: set[str], concrete: str) -> Field | None:
    """Describe one Ice member, or None where it is bookkeeping of the Ice class."""
    attribute, name = member.attribute, member.attribute[1:]
    if attribute in _EMBEDDED or name.endswith(("Loaded", "CountPerOwner")):
        return None
    facts = getattr(getattr(omero.model, concrete + "I")._field_info, name, None)
    nullable = True if facts is None else bool(facts.nullable)
    if member.type in _RTYPES:
        return Field(name, FieldKind.SCALAR, _RTYPES[member.type], attribute, nullable)
    if member.type in UNIT_TYPES:
        return Field(name, FieldKind.UNIT, member.type, attribute, nullable)
    if member.type == "ByteSeq":
        return Field(name, FieldKind.BYTES, "bytes", attribute, nullable)
    if member.element == "NamedValue":
        return Field(name, FieldKind.NAMED_VALUES, "NamedValue", attribute, nullable)
    if member.element == "string":
        return Field(name, FieldKind.STRINGS, "string", attribute, nullable)
    if member.element in entity_names and name.endswith("Seq"):
        collection = name[:-3]
        inverse, ordered = _collection_facts(concrete).get(collection, (None, False))
        return Field(collection, FieldKind.COLLECTION, str(member.element), attribute, True, inverse, ordered)
    if member.type in entity_names:
        return Field(name, FieldKind.REFERENCE, member.type, attribute, nullable)
    raise TypeError(f"omero-py has a member this sandbox cannot store: {concrete}.{attribute} of type {member.type}")


def _java_name(name: str, concrete: str) -> str:
    """``ome.model.screen.Well``, read from the constants of the Python class (``WellI.PLATE`` is ``…Well_plate``)."""
    constants = (value for value in vars(getattr(omero.model, concrete + "I")).values() if isinstance(value, str))
    full = next((value for value in constants if value.startswith("ome.model.")), f"ome.model.{concrete}")
    return f"{full.rsplit('.', 1)[0]}.{name}"


def _reflect() -> dict[str, Entity]:
    classes = read_model_classes()

    def is_entity(name: str | None) -> bool:
        return name is not None and (name == "IObject" or (name in classes and is_entity(classes[name].base)))

    names = {name for name in classes if name != "IObject" and is_entity(name) and _concrete_in(name, classes)}
    entities: dict[str, Entity] = {}
    for name in sorted(names):
        concrete = _concrete_in(name, classes)
        assert concrete is not None
        described = (_field(member, names, concrete) for member in classes[name].members)
        base = classes[name].base
        example = _instance(concrete)
        entities[name] = Entity(
            name=name,
            base=base if base in names else None,
            own={each.name: each for each in described if each is not None},
            is_system=example.isGlobal(),
            is_mutable=example.isMutable(),
            is_link=example.isLink(),
            is_versioned=hasattr(example, "_version"),
            is_abstract=not _is_concrete(name),
            java_name=_java_name(name, concrete),
        )
    for entity in entities.values():
        if entity.base:
            entities[entity.base].subclasses.append(entity.name)
    _qualify(entities)
    return entities


def _qualify(entities: dict[str, Entity]) -> None:
    """Tell fields of one name but different types apart that share a table: ``Laser.type`` and ``Arc.type``."""

    def root(name: str) -> str:
        base = entities[name].base
        return root(base) if base else name

    types: dict[tuple[str, str], set[tuple[FieldKind, str]]] = {}
    for name, entity in entities.items():
        for each in entity.own.values():
            types.setdefault((root(name), each.name), set()).add((each.kind, each.type))
    for name, entity in entities.items():
        for each in list(entity.own.values()):
            if len(types[root(name), each.name]) > 1:
                entity.own[each.name] = replace(each, qualifier=name)


ENTITIES: dict[str, Entity] = _reflect()
"""Every entity of the installed omero-py, by name."""

ENUMERATIONS: tuple[str, ...] = tuple(
    name
    for name, entity in sorted(ENTITIES.items())
    if entity.is_system and not entity.is_mutable and "value" in entity.own and set(entity.own) <= {"value", "bitSize"}
)
"""Entities whose rows are a fixed list of values, e.g. ``PixelsType``."""

_BY_LOWER_CASE = {name.lower(): entity for name, entity in ENTITIES.items()}


def entity_named(name: str) -> Entity | None:
    """Find an entity by any name clients use, or None: ``Image``, ``image``, ``ImageI``, ``omero.model.Image``, ``/Image``."""
    short = name.replace("::", ".").rsplit(".", 1)[-1].lstrip("/")
    found = ENTITIES.get(short) or _BY_LOWER_CASE.get(short.lower())
    if found is None and short.endswith("I"):
        found = ENTITIES.get(short[:-1])
    return found


def entity_of(instance: Any) -> Entity:
    """The entity of an Ice object.

    Raises:
        omero.ApiUsageException: the object is of no class of the model (or of an abstract one).
    """
    for cls in type(instance).__mro__:
        found = ENTITIES.get(cls.__name__[:-1] if cls.__name__.endswith("I") and cls.__name__ not in ENTITIES else cls.__name__)
        if found is not None and not found.is_abstract:
            return found
    raise omero.ApiUsageException("", "ApiUsageException", f"{type(instance).__name__} is not an OMERO model class.")


def is_system_type(name: str) -> bool:
    """Whether rows of this entity have no owner and group (users, groups, events, sessions, enumerations …)."""
    return ENTITIES[name].is_system
