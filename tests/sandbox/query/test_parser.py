# SPDX-License-Identifier: AGPL-3.0-or-later
"""The parser reads what clients write and refuses the rest, never with anything but an `HqlError`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omero_sandbox.query.errors import HqlError
from omero_sandbox.query.parser import MAX_DEPTH, parse
from omero_sandbox.query.syntax import (
    Binary,
    Comparison,
    Function,
    In,
    Join,
    Like,
    Literal,
    NewMap,
    Not,
    Parameter,
    Path,
    SubQuery,
)
from omero_sandbox.query.tokens import MAX_LENGTH, TokenKind, tokenize

from .templates import TEMPLATES


def where(condition: str) -> object:
    return parse(f"select i from Image i where {condition}").where


def test_precedence() -> None:
    assert where("a = 1 or b = 2 and not c = 3") == Binary(
        "OR",
        Comparison("=", Path(("a",)), Literal(1)),
        Binary("AND", Comparison("=", Path(("b",)), Literal(2)), Not(Comparison("=", Path(("c",)), Literal(3)))),
    )
    assert where("a = 1 + 2 * 3") == Comparison("=", Path(("a",)), Binary("+", Literal(1), Binary("*", Literal(2), Literal(3))))


def test_literals_parameters_and_lists() -> None:
    assert where("i.name != 'it''s'") == Comparison("<>", Path(("i", "name")), Literal("it's"))
    assert where("i.id in (:ids)") == where("i.id in :ids") == In(Path(("i", "id")), (Parameter("ids"),), False)
    assert where("i.id not in (1, 2L)") == In(Path(("i", "id")), (Literal(1), Literal(2)), True)
    assert where("i.name like \"%x!%\" escape '!'") == Like(Path(("i", "name")), Literal("%x!%"), False, False, "!")
    assert where("i.archived = true") == Comparison("=", Path(("i", "archived")), Literal(True))


def test_paths_may_have_blanks_and_keywords_may_be_names() -> None:
    query = parse("select s . group . id from Share s where s.group.name = :g order by s.group.name")
    assert query.select is not None
    assert query.select[0].expression == Path(("s", "group", "id"))
    assert parse("select g from GroupExperimenterMap g join g.parent as group").sources[1] == Join(
        False, False, Path(("g", "parent")), "group", None
    )


def test_joins_maps_and_subqueries() -> None:
    query = parse(
        "select new map(i.id as id, new map(p.sizeX as x) as size) from Image as i left outer join fetch i.pixels p "
        "with p.sizeX > 1, Roi r where exists (from i.rois) group by i.id having count(distinct p) > 1 order by i.id desc"
    )
    assert query.as_map
    assert query.select is not None
    assert isinstance(query.select[1].expression, NewMap)
    join = query.sources[1]
    assert isinstance(join, Join)
    assert (join.outer, join.fetch, join.alias) == (True, True, "p")
    assert join.condition is not None
    assert query.having == Comparison(">", Function("count", (Path(("p",)),), True), Literal(1))
    assert query.order_by[0].descending


def test_extract_and_cast() -> None:
    query = parse("select extract(epoch from s.started), cast(s.id as string) from Session s")
    assert query.select is not None
    assert query.select[0].expression == Function("epoch", (Path(("s", "started")),))


@pytest.mark.parametrize(
    "hql",
    [
        "",
        "select",
        "select i",
        "select i from",
        "select i from Image i where",
        "select i from Image i where i.id =",
        "select i from Image i where (i.id = 1",
        "select i from Image i order by",
        "select i from Image i; drop table e_Image",
        "delete from Image",
        "update Image set name = 'x'",
        "select i from Image i where i.id = 1 garbage here",
        "select i from Image i -- comment",
        "select i from Image i where i.name = 'unclosed",
        "select i from Image i union select p from Plate p",
        "select i from Image i right join i.pixels p",
        "select case else 1 end from Image i",
        "select i from Image i where i.id = all (select 1 from Roi)",
        "\x00",
    ],
)
def test_refused(hql: str) -> None:
    with pytest.raises(HqlError):
        parse(hql)


def test_limits() -> None:
    nested = "(" * (MAX_DEPTH + 5) + "1" + ")" * (MAX_DEPTH + 5)
    with pytest.raises(HqlError, match="nested"):
        where(f"i.id = {nested}")
    with pytest.raises(HqlError, match="nested"):
        where("not " * (MAX_DEPTH + 5) + "i.id = 1")
    with pytest.raises(HqlError, match="longer"):
        parse("select i from Image i" + " " * MAX_LENGTH)
    subquery: object = where("i.id in (select j.id from Image j)")
    assert isinstance(subquery, In)
    assert isinstance(subquery.choices[0], SubQuery)


def test_tokens() -> None:
    kinds = [token.kind for token in tokenize("i.id>=:x||'y'")]
    assert kinds == [
        TokenKind.NAME,
        TokenKind.OPERATOR,
        TokenKind.PARAMETER,
        TokenKind.OPERATOR,
        TokenKind.TEXT,
        TokenKind.END,
    ]


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for hql in (text, f"select i from Image i where {text}"):
        try:
            parse(hql)
        except HqlError:
            continue


@given(st.sampled_from(TEMPLATES), st.data())
def test_any_damaged_query_is_parsed_or_refused(hql: str, data: st.DataObject) -> None:
    tokens = hql.split(" ")
    position = data.draw(st.integers(0, len(tokens) - 1))
    replacement = data.draw(st.sampled_from(("", "(", ")", "select", "from", ",", "not", "in", ".", "'", "1")))
    damaged = " ".join([*tokens[:position], replacement, *tokens[position + 1 :]])
    try:
        parse(damaged)
    except HqlError:
        return
