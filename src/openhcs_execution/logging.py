# SPDX-License-Identifier: AGPL-3.0-or-later
"""Structured logs on standard error: lines for people, or JSON for programs.

Request id, execution id and well are bound as context variables, so every line that is written while one is handled names
it. Values under names that mean a secret are replaced before anything is written, and tracebacks never show local variables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
import structlog.tracebacks

__all__ = ["configure_logging", "get_logger"]

SECRET_NAMES = frozenset(
    {"omero_session", "session", "session_key", "key", "token", "ticket", "secret", "password", "authorization"}
)


def get_logger(name: str) -> Any:
    """Return a structlog logger that also carries the name of its module."""
    return structlog.get_logger(name)


def configure_logging(level: str = "INFO", style: Literal["console", "json"] = "console") -> None:
    """Send structlog's and the standard library's messages to standard error in one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    renderer: list[Any]
    if style == "json":
        tracebacks = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
        renderer = [tracebacks, structlog.processors.JSONRenderer()]
    else:
        colours = sys.stderr.isatty()
        renderer = [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("distributed", "asyncio", "omero", "uvicorn", "alembic", "tornado"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event.keys() & SECRET_NAMES:
        event[name] = "(hidden)"
    return event
