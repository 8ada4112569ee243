# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a caller may not see has no influence on anything she is told.

Every query gives the same result on a random world and on the same world *without* all that the caller may not see: then no
count, no order, no maximum and no existence can tell her anything about it. What she may see is decided here by
`can_read`, row by row, independently of the SQL conditions of `ReadFilter`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import omero
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omero_sandbox.model.reflection import ENTITIES, FieldKind
from omero_sandbox.query.execution import execute_query
from omero_sandbox.security.caller import ALL_GROUPS, ALL_PRIVILEGES, USER_GROUP, Caller
from omero_sandbox.security.permissions import can_read
from omero_sandbox.store.database import Database
from omero_sandbox.store.schema import column, columns_of_root, table

from .installed_queries import HOLE, installed_queries, parameters_for
from .plain import plain
from .templates import TEMPLATES

QUERIES = (*TEMPLATES, *(each.hql for each in installed_queries() if HOLE not in each.hql and not each.hql.endswith("where")))
USERS = (2, 3, 4)
GROUPS = (3, 4, 5)
ROOTS = (
    "Image",
    "Dataset",
    "DatasetImageLink",
    "Annotation",
    "ImageAnnotationLink",
    "OriginalFile",
    "Roi",
    "Shape",
    "Pixels",
    "Plate",
    "Well",
    "WellSample",
)


class _RollBackError(Exception):
    """Ends a transaction without keeping anything."""


@dataclass(frozen=True)
class Row:
    """One object to insert: references are given as positions in the list of their target."""

    owner: int
    group: int
    first: int
    second: int


_ROW = st.builds(Row, st.sampled_from(USERS), st.sampled_from((USER_GROUP, *GROUPS)), st.integers(1, 5), st.integers(1, 5))
_WORLD = st.fixed_dictionaries({root: st.lists(_ROW, min_size=5, max_size=5) for root in ROOTS})
_CALLER = st.builds(
    Caller,
    user_id=st.just(2),
    user_name=st.just("someone"),
    group_id=st.sampled_from((ALL_GROUPS, *GROUPS)),
    session_group_id=st.just(3),
    is_admin=st.sampled_from((False, False, False, True)),
    privileges=st.sampled_from((frozenset(), ALL_PRIVILEGES - {"ReadSession"}, ALL_PRIVILEGES)),
    member_of=st.frozensets(st.sampled_from(GROUPS)).map(lambda groups: groups | {USER_GROUP}),
    leader_of=st.frozensets(st.sampled_from(GROUPS), max_size=1),
    session_id=st.just(2),
    session_uuid=st.just("session 2"),
)
_PERMISSIONS = st.tuples(*[st.sampled_from(("rw----", "rwr---", "rwra--", "rwrw--"))] * 3)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty database; every example rolls back what it inserts."""
    made = Database(tmp_path_factory.mktemp("interference"))
    yield made
    made.close()


def _insert_people(database: Database, permissions: tuple[str, ...], caller: Caller) -> None:
    for group, text in zip(GROUPS, permissions, strict=True):
        bits = omero.model.PermissionsI(text)._perm1
        database.insert("ExperimenterGroup", id=group, name=f"group {group}", ldap=0, perms=bits, config="[]")
    for user in USERS:
        database.insert("Experimenter", id=user, omeName=f"user {user}", firstName="A", lastName="B", ldap=0)
        database.insert("Session", id=user, uuid=f"session {user}", owner=user, node=0, started=0)
        database.insert("Event", id=user, time=user, status="", experimenter=user, experimenterGroup=3, type=2, session=user)
    for group in sorted(caller.member_of - {USER_GROUP}):
        database.insert("GroupExperimenterMap", parent=group, child=2, owner=int(group in caller.leader_of), idx=0)


def _insert(database: Database, world: dict[str, list[Row]]) -> None:
    """Objects that point at one another with no regard to owner and group: worse than any history could make them."""

    def each(root: str) -> Iterator[tuple[int, Row, dict[str, int]]]:
        for number, row in enumerate(world[root], start=1):
            details = {"owner_id": row.owner, "group_id": row.group, "creation_id": row.owner, "update_id": row.owner}
            yield number, row, {"id": number, **details}

    for number, _row, bare in each("Image"):
        database.insert("Image", name=f"image {number}", **bare)
    for number, _row, bare in each("Dataset"):
        database.insert("Dataset", name=f"dataset {number}", **bare)
    for _number, row, bare in each("DatasetImageLink"):
        database.insert("DatasetImageLink", parent=row.first, child=row.second, **bare)
    for number, _row, bare in each("OriginalFile"):
        database.insert("OriginalFile", name=f"file {number}", path="/", **bare)
    for number, row, bare in each("Annotation"):
        kind = ("TagAnnotation", "MapAnnotation", "FileAnnotation")[row.first % 3]
        values = {
            "TagAnnotation": {"textValue": f"tag {number}"},
            "MapAnnotation": {"mapValue": f'[["name", "value {number}"]]'},
            "FileAnnotation": {"file": row.second},
        }
        database.insert(kind, ns="1", **values[kind], **bare)
    for _number, row, bare in each("ImageAnnotationLink"):
        database.insert("ImageAnnotationLink", parent=row.first, child=row.second, **bare)
    for number, row, bare in each("Roi"):
        database.insert("Roi", name=f"roi {number}", image=row.first, **bare)
    for number, row, bare in each("Shape"):
        database.insert("Rectangle", roi=row.first, x=number, **bare)
    for number, row, bare in each("Pixels"):
        database.insert("Pixels", image=row.first, sizeX=number, pixelsType=5, dimensionOrder=1, idx=0, **bare)
    for number, _row, bare in each("Plate"):
        database.insert("Plate", name=f"plate {number}", **bare)
    for number, row, bare in each("Well"):
        database.insert("Well", plate=row.first, row=number, column=1, **bare)
    for _number, row, bare in each("WellSample"):
        database.insert("WellSample", well=row.first, image=row.second, idx=0, **bare)


def _remove_unseen(database: Database, caller: Caller) -> None:
    """Delete every row the caller may not see, and empty what pointed at it."""
    for root in ROOTS:
        for row_id, owner, group in database.rows(f"SELECT id, owner_id, group_id FROM {table(root)}"):
            if not can_read(caller, owner, group, database.group_permissions(group)):
                database.execute(f"DELETE FROM {table(root)} WHERE id = ?", row_id)
    if not (caller.is_admin and "ReadSession" in caller.privileges):
        database.execute("DELETE FROM e_Session WHERE c_owner != ?", caller.user_id)
    for root in (*ROOTS, "Event"):
        for field in columns_of_root(root).values():
            target = ENTITIES[field.type].root if field.kind is FieldKind.REFERENCE else None
            if target in (*ROOTS, "Session"):
                name = column(field)
                database.execute(f"UPDATE {table(root)} SET {name} = NULL WHERE {name} NOT IN (SELECT id FROM {table(target)})")


def _answers(database: Database, caller: Caller) -> dict[str, object]:
    answers: dict[str, object] = {}
    for hql in QUERIES:
        answers[hql] = plain(execute_query(database, hql, parameters_for(hql), caller, projection=True))
    return answers


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=_WORLD, permissions=_PERMISSIONS, caller=_CALLER)
def test_unseen_objects_have_no_influence(
    database: Database, world: dict[str, list[Row]], permissions: tuple[str, ...], caller: Caller
) -> None:
    with pytest.raises(_RollBackError), database.transaction(write=True):
        _insert_people(database, permissions, caller)
        _insert(database, world)
        before = _answers(database, caller)
        _remove_unseen(database, caller)
        after = _answers(database, caller)
        for hql, answer in before.items():
            assert answer == after[hql], hql
        raise _RollBackError


def test_the_comparison_notices_a_missing_filter(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the read filter switched off, nearly every query gives something away: the test above cannot pass by accident."""
    monkeypatch.setattr("omero_sandbox.security.read_filter.ReadFilter.condition", lambda *_args: None)
    others = [Row(3, 3, number, number) for number in range(1, 6)]
    outsider = Caller(2, "someone", ALL_GROUPS, 4, False, frozenset(), frozenset({4}), frozenset(), 2, "session 2")
    with pytest.raises(_RollBackError), database.transaction(write=True):
        _insert_people(database, ("rw----",) * 3, outsider)
        _insert(database, dict.fromkeys(ROOTS, others))
        before = _answers(database, outsider)
        _remove_unseen(database, outsider)
        after = _answers(database, outsider)
        blind = [hql for hql in TEMPLATES if before[hql] == after[hql]]
        assert len(blind) < len(TEMPLATES) / 5, blind
        raise _RollBackError
