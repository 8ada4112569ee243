# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report as a file: HTML whose own policy lets it load nothing, and a name to save it under."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import unicodedata
from importlib.metadata import PackageNotFoundError, version

from django.template.loader import render_to_string

from openhcs_client import ExecutionDetail

from .content import Report
from .plate_map_svg import MARKS, SCALE

__all__ = ["content_policy", "file_name", "render_report"]

_STYLE = "omero_openhcs/report/report.css"
_LONGEST_PART = 60


@functools.cache
def content_policy() -> str:
    """The Content-Security-Policy of a report: pictures that lie in it, its own style sheet, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(render_to_string(_STYLE).encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def render_report(report: Report, links: dict[str, str]) -> str:
    """The HTML. ``links`` are absolute addresses in OMERO.web (``plate``, ``results``); they are followed only when clicked."""
    return render_to_string(
        "omero_openhcs/report.html",
        {
            "report": report,
            "execution": report.execution,
            "links": links,
            "policy": content_policy(),
            "scale": SCALE,
            "marks": [(*MARKS[role], count) for role, count in report.marks],
            "plugin_version": _plugin_version(),
        },
    )


def file_name(execution: ExecutionDetail) -> str:
    """A name that every system can keep, whatever the plate is called: letters and digits of ASCII, hyphens, one dot."""
    parts = (_plain(execution.plate_name), _plain(execution.pipeline_id), _plain(execution.execution_id)[:8])
    return "-".join(part for part in ("openhcs-report", *parts) if part) + ".html"


def _plain(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_only).strip("-")[:_LONGEST_PART].strip("-")


def _plugin_version() -> str:
    try:
        return version("omero-openhcs")
    except PackageNotFoundError:
        return "unknown"
