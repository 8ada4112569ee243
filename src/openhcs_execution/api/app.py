# SPDX-License-Identifier: AGPL-3.0-or-later
"""The application: routes, error mapping and middleware put together around one :class:`~openhcs_execution.service.Service`."""

from __future__ import annotations

from fastapi import FastAPI

from openhcs_execution.service import Service
from openhcs_execution.version import VERSION

from . import (
    admin,
    events,
    executions,
    functions,
    health,
    labels,
    live,
    measurements,
    metrics,
    passport,
    pipelines,
    quality,
    sign_in,
    tables,
    well_log,
)
from .errors import install_error_handlers
from .live import Live
from .middleware import BodyLimit, RequestLog

__all__ = ["PREFIX", "create_app"]

PREFIX = "/api/v1"


def create_app(service: Service) -> FastAPI:
    """Build the API. The service is started and stopped by whoever made it, not by the app."""
    app = FastAPI(
        title="omero-openhcs execution service",
        version=VERSION,
        docs_url=None,  # its page loads scripts from a public CDN
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        redirect_slashes=False,
    )
    app.state.service = service
    app.state.live = Live(service)
    app.include_router(health.router)
    app.include_router(metrics.router)
    for module in (
        functions,
        pipelines,
        executions,
        events,
        live,
        measurements,
        quality,
        labels,
        tables,
        well_log,
        passport,
        sign_in,
        admin,
    ):
        app.include_router(module.router, prefix=PREFIX)
    install_error_handlers(app)
    app.add_middleware(BodyLimit, maximum=service.settings.max_body_bytes)
    app.add_middleware(RequestLog, note=service.meters.note_request)  # outermost: it also sees what the others refuse
    return app
