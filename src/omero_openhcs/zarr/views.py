# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTTP side of the OME-Zarr endpoint: sign-in, conditional requests, and refusals as JSON.

An absent address is 404 and an ended session 403, both with the error envelope and never as a page: readers of Zarr probe
for addresses, and would try to parse a login page as metadata.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from omero_openhcs.errors import explain, new_request_id
from omero_openhcs.identity import OmeroSignIn
from omero_openhcs.omero_access.failures import omero_unreachable
from openhcs_client import OpenHCSError

from .access import Caller, ReadAccess, caller_of
from .chunks import ConnectionNeeded
from .formats import FORMATS, Format
from .hierarchy import JSON, Entry, find_in_image, find_in_plate

if TYPE_CHECKING:
    from omero_openhcs.omero_access.gateway import BlitzGateway

__all__ = ["zarr_image", "zarr_plate"]

LARGEST_ID = 2**63 - 1
CHUNK_CACHE_SECONDS = 300

Find = Callable[[ReadAccess, Format, int, list[str]], Entry | None]


def zarr_image(request: HttpRequest, version: str, image_id: int, key: str = "") -> HttpResponse:
    """Serve what is at ``key`` of an image."""
    return _answer(request, find_in_image, version, image_id, key)


def zarr_plate(request: HttpRequest, version: str, plate_id: int, key: str = "") -> HttpResponse:
    """Serve what is at ``key`` of a plate."""
    return _answer(request, find_in_plate, version, plate_id, key)


def _answer(request: HttpRequest, find: Find, version: str, object_id: int, key: str) -> HttpResponse:
    request_id = new_request_id()
    try:
        if request.method not in ("GET", "HEAD"):
            raise OpenHCSError("method_not_allowed", "Data can only be read here.", status=405)
        if version not in FORMATS or object_id > LARGEST_ID:
            raise _absent()
        serve = functools.partial(_serve, request, find, FORMATS[version], object_id, key)
        response = _remembered_or_joined(request, serve)
    except Exception as error:
        response = _refusal(explain(error, request_id), request_id)
    response["X-Request-ID"] = request_id
    # What a browser keeps is for this session only, also when somebody else signs in at the same desk.
    patch_vary_headers(response, ("Cookie",))
    return response


def _remembered_or_joined(request: HttpRequest, serve: Callable[[ReadAccess], HttpResponse]) -> HttpResponse:
    """Serve from memory where the session's right to read is known and the pixels are there; else join the OMERO session."""
    caller = caller_of(request)
    if caller is not None:
        try:
            return serve(ReadAccess(caller))
        except ConnectionNeeded:
            pass

    def with_omero(request: HttpRequest, conn: BlitzGateway | None = None, **_: Any) -> HttpResponse:
        if conn is None:
            raise omero_unreachable()
        return serve(ReadAccess(caller_of(request) or _stranger(conn), conn))

    return _ZarrSignIn(useragent="OMERO.openhcs")(with_omero)(request)


def _stranger(conn: BlitzGateway) -> Caller:
    """Somebody who signed in with this very request: nothing is remembered for them under a name that can come again."""
    return Caller(server=str(getattr(conn, "server_id", "")), session=secrets.token_hex(16), group="")


def _serve(request: HttpRequest, find: Find, form: Format, object_id: int, key: str, access: ReadAccess) -> HttpResponse:
    entry = find(access, form, object_id, key.split("/"))
    if entry is None:
        raise _absent()
    name = hashlib.sha256(f"{form.version}\n{key}\n{entry.revision}".encode()).hexdigest()
    etag = f'"{name[:32]}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(entry.content(), content_type=entry.media_type)
    response["ETag"] = etag
    # Pixels hardly ever change; metadata follows the rendering settings and new results, so it is asked for again.
    response["Cache-Control"] = "private, no-cache" if entry.media_type == JSON else f"private, max-age={CHUNK_CACHE_SECONDS}"
    return response


class _ZarrSignIn(OmeroSignIn):
    """Answers 403 with the envelope, also to clients that do not say that they are scripts."""

    def on_not_logged_in(self, request: HttpRequest, url: str, error: Any = None) -> HttpResponse:
        raise OpenHCSError(
            "not_signed_in", "You are not signed in, or your OMERO session has ended. Sign in again.", status=403
        )


def _absent() -> OpenHCSError:
    return OpenHCSError("not_found", "There is nothing at this address.", status=404)


def _refusal(error: OpenHCSError, request_id: str) -> HttpResponse:
    response = HttpResponse(error.envelope(request_id).model_dump_json(), content_type=JSON, status=error.status)
    response["Cache-Control"] = "no-store"
    return response
