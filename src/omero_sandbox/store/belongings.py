# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608 - names of tables and columns come from the reflected model alone; every value is bound
"""Works out what belongs to some objects, and so is deleted, moved or given away with them. Changes nothing.

Starting from the targets, on which the caller needs the right to do so, the set grows in waves, following OMERO's rules:

* parts and links of what is in the set join it, whoever owns them (OMERO lets an owner delete her image together with the
  annotation links and ROIs that others made on it);
* what it *held* (children in containers, annotations, images of wells, instruments) joins if nothing else keeps it and the
  caller has the right on it; otherwise it stays;
* optional references to it are noted, to be emptied.

Options decide about children per class: *exclude* keeps them even when they are orphans, *include* takes them even when
something else still holds them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from omero_sandbox.model.reflection import ENTITIES, entity_named
from omero_sandbox.security.caller import SYSTEM_GROUP, Caller
from omero_sandbox.security.permissions import Rights, rights_on
from omero_sandbox.security.read_filter import ReadFilter
from omero_sandbox.security.refusals import invalid, not_readable, refused, wrong_use
from omero_sandbox.store.relations import REFERENCES_FROM, REFERENCES_TO, Bond, Reference
from omero_sandbox.store.schema import column, table

if TYPE_CHECKING:
    from omero_sandbox.store.database import Database

__all__ = ["Belongings", "ChildRules"]

_SERVER_ONLY = frozenset({"DBPatch", "Event", "EventLog", "Node", "Session", "Share", "ShareMember"})


@dataclass(frozen=True)
class ChildRules:
    """Which classes of children to take or to leave regardless of whether they are orphans.

    Made from a list of ``omero.cmd.graphs.ChildOption``; an option with namespaces concerns annotations of these only.
    """

    options: tuple[Any, ...] = ()

    def decide(self, dtype: str, namespace: str | None) -> bool | None:
        """True: take; False: leave; None: as it comes. The first option that names the class decides."""
        for option in self.options:
            if not _namespace_matches(option, namespace):
                continue
            for names, verdict in ((option.includeType, True), (option.excludeType, False)):
                if any(dtype in _family(name) for name in names or ()):
                    return verdict
        return None


def _namespace_matches(option: Any, namespace: str | None) -> bool:
    include, exclude = getattr(option, "includeNs", None), getattr(option, "excludeNs", None)
    if include and namespace not in include:
        return False
    return not (exclude and namespace in exclude)


def _family(name: str) -> frozenset[str]:
    if name.rsplit(".", 1)[-1] in ("Annotation", "IAnnotation"):
        return ENTITIES["Annotation"].family
    found = entity_named(name)
    if found is None:
        raise wrong_use(f"Unknown type in the options: {name}")
    return found.family


@dataclass
class _Wave:
    """Objects that have just joined, by root entity."""

    ids: dict[str, set[int]] = field(default_factory=dict)

    def add(self, root: str, object_id: int) -> None:
        self.ids.setdefault(root, set()).add(object_id)


class Belongings:
    """A set of objects with everything that belongs to them; `grow` completes it, `check` refuses impossible sets.

    Args:
        database: the store.
        caller: who asks.
        rules: what to do with children.
        allowed: says of a caller's rights on an object whether she may do with it what she is about to do.
        verb: names that, for refusals: "Deleting", "Moving", "Giving away".
    """

    def __init__(
        self, database: Database, caller: Caller, rules: ChildRules, allowed: Callable[[Rights], bool], verb: str
    ) -> None:
        self.taken: dict[str, dict[int, str]] = {}
        """Root entity -> id -> concrete class."""
        self.emptied: list[tuple[Reference, list[int]]] = []
        """Optional references to what is taken, with the ids of their holders."""
        self._database = database
        self._caller = caller
        self._rules = rules
        self._allowed = allowed
        self._verb = verb
        self._filter = ReadFilter(database, caller)
        self._candidates: dict[str, set[int]] = {}
        self._wave = _Wave()
        self._permissions: dict[int | None, int] = {}

    # -- targets

    def add_targets(self, entity_name: str, ids: Iterable[int]) -> None:
        """Add what the caller asked for.

        Raises:
            omero.SecurityViolation: an object does not exist, may not be seen, or the caller lacks the right.
            omero.ApiUsageException: no such entity.
        """
        entity = entity_named(entity_name)
        if entity is None:
            raise wrong_use(f"Unknown type: {entity_name}")
        wanted = set(ids)
        condition = self._filter.condition(entity.name, "t")
        sql = (
            f"SELECT t.id, t.dtype, t.owner_id, t.group_id FROM {table(entity.name)} t "
            f"WHERE t.id IN (SELECT value FROM json_each(:wanted)){f' AND {condition}' if condition else ''}"
        )
        bound = {**self._filter.parameters, "wanted": json.dumps(sorted(wanted))}
        rows = [row for row in self._database.named_rows(sql, bound) if row[1] in entity.family]
        missing = wanted - {row[0] for row in rows}
        if missing:
            raise not_readable(entity.name, min(missing))
        for row_id, dtype, owner_id, group_id in rows:
            self._check_system(dtype, row_id)
            if not self._may(dtype, owner_id, group_id):
                raise refused(f"{self._verb} {dtype}:{row_id} not allowed.")
            self._take(entity.root, row_id, dtype)

    def _check_system(self, dtype: str, row_id: int) -> None:
        if self._caller.is_server or not ENTITIES[dtype].is_system:
            return
        if dtype in _SERVER_ONLY:
            raise refused(f"{self._verb} {dtype}:{row_id} not allowed: it is the server's alone.")
        if dtype == "GroupExperimenterMap" and not self._caller.is_full_admin:
            group = self._database.value("SELECT c_parent FROM e_GroupExperimenterMap WHERE id = ?", row_id)
            if group == SYSTEM_GROUP:
                raise refused("Only a full administrator may change who is an administrator.")

    def _may(self, dtype: str, owner_id: int | None, group_id: int | None) -> bool:
        if group_id not in self._permissions:
            self._permissions[group_id] = self._database.group_permissions(group_id)
        return self._allowed(rights_on(self._caller, owner_id, group_id, self._permissions[group_id], entity=dtype))

    def _take(self, root: str, row_id: int, dtype: str) -> None:
        known = self.taken.setdefault(root, {})
        if row_id not in known:
            known[row_id] = dtype
            self._wave.add(root, row_id)

    def is_taken(self, root: str, row_id: int) -> bool:
        """Whether an object is in the set."""
        return row_id in self.taken.get(root, ())

    # -- growing

    def grow(self) -> None:
        """Follow all relations until nothing more joins."""
        while self._wave.ids:
            while self._wave.ids:
                wave, self._wave = self._wave, _Wave()
                for root, ids in wave.ids.items():
                    self._take_dependents(root, ids)
                    self._note_children(root, ids)
            self._take_orphans()

    def _rows(self, reference: Reference, targets: Iterable[int]) -> list[tuple[int, str, int]]:
        """(id, class, target) of all rows that refer to any of the targets."""
        name = column(reference.field)
        sql = f"SELECT id, dtype, {name} FROM {table(reference.holder)} WHERE {name} IN (SELECT value FROM json_each(?))"
        return [(row[0], row[1], row[2]) for row in self._database.rows(sql, json.dumps(sorted(targets)))]

    def _take_dependents(self, root: str, ids: set[int]) -> None:
        for reference in REFERENCES_TO[root]:
            rows = self._rows(reference, ids)
            if not rows:
                continue
            if (reference.holder, reference.field.name) == ("WellSample", "image"):
                continue  # an image goes through its well sample only; see `check`
            if reference.bond in (Bond.LINK, Bond.PART) or reference.required:
                for row_id, dtype, _target in rows:
                    self._take(reference.holder, row_id, dtype)
            else:
                self.emptied.append((reference, [row[0] for row in rows]))

    def _note_children(self, root: str, ids: set[int]) -> None:
        """Remember what they held; whether it is orphaned is known once the wave is over.

        A link that goes by itself (an image taken out of a dataset) makes no orphan of its child.
        """
        for reference in REFERENCES_FROM[root]:
            if reference.attaches and reference.bond is not Bond.LINK:
                self._note(reference, "id", ids)
        for reference in REFERENCES_TO[root]:
            if reference.bond is Bond.LINK and not reference.attaches:
                for other in REFERENCES_FROM[reference.holder]:
                    if other.bond is Bond.LINK and other.attaches:
                        self._note(other, column(reference.field), ids)

    def _note(self, held: Reference, by: str, ids: set[int]) -> None:
        """Make candidates of what is held by the rows whose column `by` is one of `ids`."""
        if ENTITIES[held.target].is_system:
            return
        name = column(held.field)
        sql = f"SELECT DISTINCT {name} FROM {table(held.holder)} WHERE {by} IN (SELECT value FROM json_each(?))"
        rows = self._database.rows(f"{sql} AND {name} IS NOT NULL", json.dumps(sorted(ids)))
        self._candidates.setdefault(held.target, set()).update(row[0] for row in rows)

    def _take_orphans(self) -> None:
        for root, ids in list(self._candidates.items()):
            ids = {each for each in ids if not self.is_taken(root, each)}
            self._candidates[root] = ids
            if not ids:
                continue
            attached = self._attached(root, ids)
            for row_id, dtype, owner_id, group_id, namespace in self._describe(root, ids):
                verdict = self._rules.decide(dtype, namespace)
                wanted = row_id not in attached if verdict is None else verdict
                if wanted and self._may(dtype, owner_id, group_id):
                    self._take(root, row_id, dtype)

    def _describe(self, root: str, ids: set[int]) -> list[tuple[int, str, int | None, int | None, str | None]]:
        namespace = "c_ns" if root == "Annotation" else "NULL"
        sql = (
            f"SELECT id, dtype, owner_id, group_id, {namespace} FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))"
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in self._database.rows(sql, json.dumps(sorted(ids)))]

    def _attached(self, root: str, ids: set[int]) -> set[int]:
        """Those that something which stays still holds, or that are a part of something which stays."""
        attached: set[int] = set()
        for reference in REFERENCES_TO[root]:
            if reference.attaches:
                rows = self._rows(reference, ids)
                attached.update(target for row_id, _, target in rows if not self.is_taken(reference.holder, row_id))
        for reference in REFERENCES_FROM[root]:
            if reference.bond is Bond.PART and not reference.field.nullable:
                name = column(reference.field)
                sql = f"SELECT id, {name} FROM {table(root)} WHERE id IN (SELECT value FROM json_each(?))"
                for row_id, whole in self._database.rows(sql, json.dumps(sorted(ids))):
                    if whole is not None and not self.is_taken(reference.target, whole):
                        attached.add(row_id)
        return attached

    # -- checking

    def check(self) -> None:
        """Refuse sets that would tear apart what belongs together.

        Raises:
            omero.ValidationException, omero.SecurityViolation
        """
        images = self.taken.get("Image", {})
        self._check_well_samples(images)
        self._check_filesets(images)

    def _check_well_samples(self, images: dict[int, str]) -> None:
        (reference,) = (each for each in REFERENCES_TO["Image"] if each.holder == "WellSample")
        for row_id, _dtype, image in self._rows(reference, images):
            if not self.is_taken("WellSample", row_id):
                raise invalid(f"{self._verb} Image:{image} is possible only with WellSample:{row_id}, that is, with its plate.")

    def _check_filesets(self, images: dict[int, str]) -> None:
        sql = "SELECT DISTINCT c_fileset FROM e_Image WHERE c_fileset IS NOT NULL AND id IN (SELECT value FROM json_each(?))"
        filesets = {row[0] for row in self._database.rows(sql, json.dumps(sorted(images)))}
        (reference,) = (each for each in REFERENCES_TO["Fileset"] if each.holder == "Image")
        for row_id, _dtype, fileset in self._rows(reference, filesets):
            if row_id not in images:
                raise invalid(f"Fileset:{fileset} may not be split: take all of its images, or none.")
        for fileset in filesets:
            self._take("Fileset", fileset, "Fileset")
        self.grow()

    def check_tags(self) -> None:
        """Refuse to delete tags that are in use on objects the caller may not change.

        Raises:
            omero.SecurityViolation
        """
        tags = {row_id for row_id, dtype in self.taken.get("Annotation", {}).items() if dtype == "TagAnnotation"}
        if not tags:
            return
        for reference in REFERENCES_TO["Annotation"]:
            if reference.bond is not Bond.LINK or reference.field.name != "child":
                continue
            (parent,) = (each for each in REFERENCES_FROM[reference.holder] if each.field.name == "parent")
            sql = (
                f"SELECT link.c_child, tagged.id, tagged.dtype, tagged.owner_id, tagged.group_id "
                f"FROM {table(reference.holder)} link JOIN {table(parent.target)} tagged ON tagged.id = link.c_parent "
                "WHERE link.c_child IN (SELECT value FROM json_each(?))"
            )
            for tag, row_id, dtype, owner_id, group_id in self._database.rows(sql, json.dumps(sorted(tags))):
                stays = not self.is_taken(parent.target, row_id)
                if stays and not ENTITIES[dtype].is_system and not self._may(dtype, owner_id, group_id):
                    raise refused(f"TagAnnotation:{tag} may not be deleted: it is used on data that is not yours to change.")
