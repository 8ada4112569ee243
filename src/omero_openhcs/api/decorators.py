# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every JSON view has around it: the method, the sign-in, the error envelope, the request id.

A view takes ``(request, asker, **url_parameters)`` and returns a model, JSON, ``(model, status)`` or a response. It raises
:class:`~openhcs_client.OpenHCSError` to refuse. CSRF is checked by Django's middleware before any of this runs.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel

from omero_openhcs.errors import explain, new_request_id
from omero_openhcs.identity import Asker, OmeroSignIn, remembered_asker, signed_in_asker
from omero_openhcs.request_ids import named_request
from openhcs_client import OpenHCSError

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["api_view", "not_found"]

logger = logging.getLogger(__name__)

Content: TypeAlias = BaseModel | dict[str, Any] | list[Any]
Answer: TypeAlias = Content | HttpResponseBase | tuple[Content, int]


def api_view(*methods: str, omero: bool = False) -> Callable[[Callable[..., Answer]], Callable[..., HttpResponseBase]]:
    """Make a JSON view. ``omero``: the view needs an OMERO connection, not only to know who asks.

    Methods other than GET are refused to the public user, whatever OMERO.web's own settings allow it.
    """

    def decorate(view: Callable[..., Answer]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            with named_request() as request_id:
                return answered(request, request_id, kwargs)

        def answered(request: HttpRequest, request_id: str, kwargs: dict[str, Any]) -> HttpResponseBase:
            def answer(asker: Asker) -> HttpResponseBase:
                if request.method == "GET":
                    return _as_response(view(request, asker, **kwargs))
                asker.refuse_public()
                response = _as_response(view(request, asker, **kwargs))
                logger.info("Request %s: %s %s by user %s", request_id, request.method, request.path, asker.person.user_id)
                return response

            def with_omero(request: HttpRequest, conn: Any = None, **_: Any) -> HttpResponseBase:
                return _guarded(lambda: answer(signed_in_asker(request, conn)), request_id)

            def respond() -> HttpResponseBase:
                if request.method not in methods:
                    raise _method_not_allowed(methods)
                asker = None if omero else remembered_asker(request)
                if asker is not None:
                    return answer(asker)
                signed_in: HttpResponseBase = _ApiSignIn(useragent="OMERO.openhcs")(with_omero)(request)
                return signed_in

            response = _guarded(respond, request_id)
            response["X-Request-ID"] = request_id
            response.setdefault("Cache-Control", "no-store")
            return response

        return wrapped

    return decorate


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The answer to an address that the API does not have."""
    request_id = new_request_id()
    return _refusal(explain(Http404(), request_id), request_id)


class _ApiSignIn(OmeroSignIn):
    """Answers 403 with the envelope instead of redirecting to the login page."""

    def on_not_logged_in(self, request: HttpRequest, url: str, error: Any = None) -> HttpResponse:
        return _refusal(
            OpenHCSError("not_signed_in", "You are not signed in, or your OMERO session has ended. Sign in again.", status=403),
            "",
        )


def _guarded(respond: Callable[[], HttpResponseBase], request_id: str) -> HttpResponseBase:
    try:
        return respond()
    except Exception as error:
        return _refusal(explain(error, request_id), request_id)


def _as_response(answer: Answer) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    content, status = answer if isinstance(answer, tuple) else (answer, 200)
    if isinstance(content, BaseModel):
        return HttpResponse(content.model_dump_json(), content_type="application/json", status=status)
    return JsonResponse(content, status=status, safe=False)


def _refusal(error: OpenHCSError, request_id: str) -> HttpResponse:
    response = HttpResponse(error.envelope(request_id).model_dump_json(), content_type="application/json", status=error.status)
    if error.code == "method_not_allowed":
        response["Allow"] = error.field_errors.get("allow", "")
    return response


def _method_not_allowed(methods: tuple[str, ...]) -> OpenHCSError:
    allowed = ", ".join(methods)
    return OpenHCSError("method_not_allowed", f"Only {allowed} is possible here.", status=405, field_errors={"allow": allowed})
