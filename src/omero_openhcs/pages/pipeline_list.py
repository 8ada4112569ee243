# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of pipelines: searched, filtered and in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field

from omero_openhcs.api.requests import read_query
from omero_openhcs.library import find, offered_by_service
from openhcs_client import PipelineSearch

from .decorators import or_trouble, page
from .pipeline_actions import groups_to_choose, offered_actions

if TYPE_CHECKING:
    from django.http import HttpRequest

    from omero_openhcs.identity import Asker

__all__ = ["pipelines"]

LINES_SHOWN = 25

SHOWN = (
    ("", "all"),
    ("mine", "mine"),
    ("user", "made by people here"),
    ("built-in", "built in"),
    ("facility", "from the facility"),
)
"""What ``show`` may be, and its words."""


class ListQuery(BaseModel):
    """The query of the page, as its form sends it."""

    model_config = ConfigDict(extra="ignore")

    q: str = Field(default="", max_length=200)
    show: Literal["", "mine", "user", "built-in", "facility"] = ""
    group: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    deprecated: bool = False
    page: int = Field(default=1, ge=1, le=100_000)

    def search(self) -> PipelineSearch:
        """The same for the library."""
        return PipelineSearch(
            q=self.q,
            origin=self.show if self.show in ("user", "built-in", "facility") else None,
            owner="me" if self.show == "mine" else None,
            group=self.group,
            deprecated=self.deprecated,
            page=self.page,
            limit=LINES_SHOWN,
        )

    def without_page(self) -> str:
        """The query of another page, to which its number is added."""
        query = QueryDict(mutable=True)
        query.update({name: str(value).lower() if value is True else value for name, value in self.given()})
        return f"{query.urlencode()}&" if query else ""

    def given(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in self.model_dump(exclude_defaults=True).items() if name != "page"]


@page("omero_openhcs/pipelines.html")
def pipelines(request: HttpRequest, asker: Asker) -> dict[str, Any]:
    """A page of the pipelines that the user may see."""
    query = read_query(request, ListQuery)
    search = query.search()
    # When the service is silent, people's own pipelines are shown all the same.
    offered, trouble = or_trouble(lambda: offered_by_service(asker, search), [])
    found = find(asker, search, offered)
    groups = groups_to_choose(asker)
    return {
        "section": "pipelines",
        "search": query,
        "shown": SHOWN,
        "query": query.without_page(),
        "filtered": bool(query.given()),
        "found": found,
        "rows": [offered_actions(asker, line, groups) for line in found.pipelines],
        "groups": groups,
        "may_save": not asker.public,
        "user_id": asker.person.user_id,
        "trouble": trouble,
    }
