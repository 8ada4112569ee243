# SPDX-License-Identifier: AGPL-3.0-or-later
"""How pages write things: statuses, times, durations, values. All output is escaped by Django."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from openhcs_client import Execution, ExecutionStatusName

__all__ = ["register"]

register = template.Library()

_STYLES = ("base", "components", "pages", "run", "editor")

_STATUS_WORDS = {
    ExecutionStatusName.QUEUED: "Waiting",
    ExecutionStatusName.RUNNING: "Running",
    ExecutionStatusName.WAITING_FOR_SIGN_IN: "Waiting for sign-in",
    ExecutionStatusName.SAVING: "Saving to OMERO",
    ExecutionStatusName.COMPLETED: "Completed",
    ExecutionStatusName.COMPLETED_WITH_ERRORS: "Completed with errors",
    ExecutionStatusName.FAILED: "Failed",
    ExecutionStatusName.CANCELLED: "Cancelled",
}


@register.simple_tag
def openhcs_styles() -> SafeString:
    """The plugin's style sheets; their address changes with the plugin's version, so that no browser keeps old ones."""
    try:
        suffix = version("omero-openhcs")
    except PackageNotFoundError:
        suffix = "dev"
    return format_html_join(
        "\n",
        '<link rel="stylesheet" href="{}?v={}">',
        ((static(f"omero_openhcs/css/{name}.css"), suffix) for name in _STYLES),
    )


@register.filter
def status_word(status: str) -> str:
    """The status in words: ``completed_with_errors`` is *Completed with errors*."""
    return _STATUS_WORDS.get(ExecutionStatusName(status), status)


@register.filter
def is_final(status: str) -> bool:
    """Whether nothing more will happen."""
    return ExecutionStatusName(status).is_final


@register.filter
def percent_done(execution: Execution) -> int:
    """Share of wells that are done, in percent."""
    return round(100 * execution.wells_completed / execution.wells_total) if execution.wells_total else 0


@register.filter
def percent_failed(execution: Execution) -> int:
    """Share of wells that failed, in percent."""
    return round(100 * execution.wells_failed / execution.wells_total) if execution.wells_total else 0


@register.filter
def local_time(moment: datetime | None) -> str | SafeString:
    """A ``<time>`` in UTC that the page's script rewrites in the reader's time zone."""
    if moment is None:
        return "–"
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    utc = aware.astimezone(UTC)
    return format_html('<time datetime="{}" data-oh-time>{} UTC</time>', utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M"))


@register.filter
def duration(span: timedelta | float | None) -> str:
    """``2 h 5 min``, ``3 min 20 s``, ``4.2 s``."""
    if span is None:
        return "–"
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def value_text(value: Any) -> str:
    """A parameter's value as people write it."""
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(value_text(entry) for entry in value)
    return str(value)


@register.filter
def words(name: str) -> str:
    """An identifier as people write it: ``subtract_background`` is "Subtract background"."""
    text = str(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


@register.filter
def range_text(parameter: Any) -> str:
    """``0 to 50``, ``at least 1`` or nothing."""
    low, high = (value_text(bound) if bound is not None else "" for bound in (parameter.minimum, parameter.maximum))
    if low and high:
        return f"{low} to {high}"
    if low:
        return f"at least {low}"
    return f"at most {high}" if high else ""
