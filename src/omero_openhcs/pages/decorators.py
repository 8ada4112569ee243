# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page has around it: the sign-in, OMERO.web's header and keep-alive, and a plain page for every refusal.

A page takes ``(request, asker, **url_parameters)`` and returns a context for its template, or a response (a redirect).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from omeroweb.webclient.decorators import login_required as webclient_login
from omeroweb.webclient.decorators import render_response

from omero_openhcs.errors import explain
from omero_openhcs.identity import OmeroSignIn, signed_in_asker
from omero_openhcs.request_ids import current_request_id, named_request
from openhcs_client import OpenHCSError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

__all__ = ["or_trouble", "page"]

_header = render_response()


class _PageSignIn(OmeroSignIn, webclient_login):
    """Redirects to the login page, and prepares what OMERO.web's header needs."""


def page(
    template: str, *, refused: str = "omero_openhcs/error.html"
) -> Callable[[Callable[..., Any]], Callable[..., HttpResponse]]:
    """Make an HTML page from a view; ``refused`` is the template that tells a refusal.

    A view whose page looks different for some people names the other template in its context, as ``template``.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
        def shown(request: HttpRequest, conn: Any = None, url: str = "", **parameters: Any) -> HttpResponse:
            with named_request() as request_id:
                return answered(request, conn, request_id, parameters)

        def answered(request: HttpRequest, conn: Any, request_id: str, parameters: dict[str, Any]) -> HttpResponse:
            name, status = template, 200
            try:
                asker = signed_in_asker(request, conn)
                context = view(request, asker, **parameters)
                if isinstance(context, dict):  # what the navigation shows
                    context["for_administrator"] = asker.person.admin and not asker.public
            except Exception as error:
                refusal = explain(error, request_id)
                name, status = refused, refusal.status
                context = {"refusal": refusal, "request_id": request_id}
            if not isinstance(context, dict):
                return context
            if conn is None:
                name = "omero_openhcs/error_without_omero.html"
            else:
                _header.prepare_context(request, context, conn=conn)
            response = render(request, context.pop("template", name), context, status=status)
            response["X-Request-ID"] = request_id
            response["Cache-Control"] = "no-store"
            return response

        signed_in = _PageSignIn(useragent="OMERO.openhcs")(shown)
        return functools.wraps(view)(require_safe(ensure_csrf_cookie(signed_in)))

    return decorate


def or_trouble(ask: Callable[[], Any], empty: Any) -> tuple[Any, str]:
    """Ask the service for a part of a page; when it does not answer, the page is shown without that part.

    Returns the answer and no trouble, or ``empty`` and a sentence. Refusals of the request itself are raised.
    """
    try:
        return ask(), ""
    except OpenHCSError as error:
        told = explain(error, current_request_id())
        if told.status < 500:
            raise
        return empty, told.message
