# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding users' pipelines: pages of heads, searched, filtered and sorted by OMERO. No file is read.

A page costs two projections whatever the number of pipelines: the rows of the page, and how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from omero.rtypes import unwrap
from omero.sys import ParametersI

from openhcs_client import PipelineSummary, words_of_search

from .pipeline_heads import in_all_groups
from .pipeline_records import COLUMNS, DEPRECATED_MARK, NAMESPACE, TEXT_KEY, stored

if TYPE_CHECKING:
    from omero.gateway import BlitzGateway

__all__ = ["UserPipelineSearch", "count_pipelines", "find_pipelines"]

# The file's name of a head, begun with the number of its own owner: nobody can put a line into somebody else's name.
_HEADS = "a.ns = :ns and f.name like concat('u', str(o.id), '-%.v1.json')"
_OF = COLUMNS[COLUMNS.index("from ") :]


@dataclass(frozen=True)
class UserPipelineSearch:
    """Which pipelines; every word of ``q`` must be found."""

    q: str = ""
    owner_id: int | None = None
    group_id: int | None = None
    deprecated: bool = False


def find_pipelines(conn: BlitzGateway, search: UserPipelineSearch, *, offset: int, limit: int) -> list[PipelineSummary]:
    """Part of the pipelines that the user may read, by name. A damaged entry is left out."""
    where, parameters = _conditions(search)
    parameters.page(offset, limit)
    # The name of a head's annotation is the shown name of the pipeline.
    hql = f"select {COLUMNS} where {where} order by lower(a.name), a.id"
    rows = conn.getQueryService().projection(hql, parameters, in_all_groups(conn))
    found = {version.about.id: version for row in reversed(rows) if (version := stored(unwrap(row))) is not None}
    return [version.summary() for version in reversed(found.values())]


def count_pipelines(conn: BlitzGateway, search: UserPipelineSearch) -> int:
    """How many pipelines a search finds."""
    where, parameters = _conditions(search)
    rows = conn.getQueryService().projection(f"select count(a.id) {_OF} where {where}", parameters, in_all_groups(conn))
    return int(unwrap(rows[0])[0])


def _conditions(search: UserPipelineSearch) -> tuple[str, ParametersI]:
    parameters = ParametersI()
    parameters.addString("ns", NAMESPACE)
    conditions = [_HEADS]
    if not search.deprecated:
        conditions.append("a.description not like :deprecated")
        parameters.addString("deprecated", f"%{DEPRECATED_MARK}%")
    if search.owner_id is not None:
        conditions.append("o.id = :owner")
        parameters.addLong("owner", search.owner_id)
    if search.group_id is not None:
        conditions.append("g.id = :group")
        parameters.addLong("group", search.group_id)
    for number, word in enumerate(words_of_search(search.q)):
        conditions.append(
            f"(a.description like :text{number} escape '!' or lower(o.firstName) like :word{number} escape '!' "
            f"or lower(o.lastName) like :word{number} escape '!')"
        )
        parameters.addString(f"word{number}", f"%{_literally(word)}%")
        parameters.addString(f"text{number}", f"%{_literally(TEXT_KEY)}%{_literally(word)}%")
    return " and ".join(conditions), parameters


def _literally(text: str) -> str:
    """The pattern that matches nothing but ``text``; ``!`` is the escape."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return text
