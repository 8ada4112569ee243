# SPDX-License-Identifier: AGPL-3.0-or-later
"""The HTTP side of the OME-Zarr endpoint: sign-in or token, conditional requests, and refusals as JSON.

Requests with a token in their address are judged by the token alone; a cookie that comes along is not looked at, so a page of
another site gains nothing by it. Only they may be read by such a page: by the Vizarr that the administrator named.

An absent address is 404 and an ended session 403, both with the error envelope and never as a page: readers of Zarr probe
for addresses, and would try to parse a login page as metadata.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers

from omero_openhcs import settings
from omero_openhcs.errors import explain, new_request_id
from omero_openhcs.identity import OmeroSignIn
from omero_openhcs.omero_access.failures import omero_unreachable, server_answers
from openhcs_client import OpenHCSError

from .access import Caller, ReadAccess, caller_of, caller_with
from .chunks import ConnectionNeeded
from .formats import FORMATS, Format
from .hierarchy import JSON, Entry, find_in_image, find_in_plate
from .tokens import Kind, redeem_token

if TYPE_CHECKING:
    from omero_openhcs.omero_access.gateway import BlitzGateway

__all__ = ["zarr_image", "zarr_plate"]

LARGEST_ID = 2**63 - 1
CHUNK_CACHE_SECONDS = 300
USER_AGENT = "OMERO.openhcs"

Find = Callable[[ReadAccess, Format, int, list[str]], Entry | None]


def zarr_image(request: HttpRequest, version: str, image_id: int, key: str = "", token: str = "") -> HttpResponse:
    """Serve what is at ``key`` of an image."""
    return _answer(request, _Address(find_in_image, "image", image_id, version, key, token))


def zarr_plate(request: HttpRequest, version: str, plate_id: int, key: str = "", token: str = "") -> HttpResponse:
    """Serve what is at ``key`` of a plate."""
    return _answer(request, _Address(find_in_plate, "plate", plate_id, version, key, token))


@dataclass(frozen=True)
class _Address:
    find: Find
    kind: Kind
    object_id: int
    version: str
    key: str
    token: str


def _answer(request: HttpRequest, address: _Address) -> HttpResponse:
    if request.method == "OPTIONS" and address.token:
        # A browser asks this beforehand about requests for a part of a chunk.
        return _for_other_pages(HttpResponse(status=204))
    request_id = new_request_id()
    try:
        if request.method not in ("GET", "HEAD"):
            raise OpenHCSError("method_not_allowed", "Data can only be read here.", status=405)
        if address.version not in FORMATS or address.object_id > LARGEST_ID:
            raise _absent()
        serve = functools.partial(_serve, request, address)
        if address.token:
            response = _by_token(address, serve)
        else:
            response = _remembered_or_joined(request, serve)
    except Exception as error:
        response = _refusal(explain(error, request_id), request_id)
    response["X-Request-ID"] = request_id
    if address.token:
        return _for_other_pages(response)
    # What a browser keeps is for this session only, also when somebody else signs in at the same desk.
    patch_vary_headers(response, ("Cookie",))
    return response


def _for_other_pages(response: HttpResponse) -> HttpResponse:
    """Let the configured Vizarr read the answer; no other site."""
    patch_vary_headers(response, ("Origin",))
    if settings.VIZARR_URL:
        site = urlsplit(settings.VIZARR_URL)
        response["Access-Control-Allow-Origin"] = f"{site.scheme}://{site.netloc}"
        response["Access-Control-Allow-Methods"] = "GET, HEAD"
        response["Access-Control-Allow-Headers"] = "Range"
    return response


def _by_token(address: _Address, serve: Callable[[ReadAccess], HttpResponse]) -> HttpResponse:
    """Serve to whom the token stands for, from memory where that is possible."""
    connector = redeem_token(address.token, address.kind, address.object_id)
    caller = caller_with(connector)
    if caller is None:
        raise _not_signed_in()
    try:
        return serve(ReadAccess(caller))
    except ConnectionNeeded:
        pass
    conn = connector.join_connection(USER_AGENT)
    if conn is None:
        raise _not_signed_in() if server_answers(*connector.lookup_host_and_port()) else omero_unreachable()
    try:
        conn.SERVICE_OPTS.setOmeroGroup("-1")  # whatever group it is in, as for sessions of browsers
        return serve(ReadAccess(caller, conn))
    finally:
        conn.close(hard=False)


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

    return _ZarrSignIn(useragent=USER_AGENT)(with_omero)(request)


def _stranger(conn: BlitzGateway) -> Caller:
    """Somebody who signed in with this very request: nothing is remembered for them under a name that can come again."""
    return Caller(server=str(getattr(conn, "server_id", "")), session=secrets.token_hex(16), group="")


def _serve(request: HttpRequest, address: _Address, access: ReadAccess) -> HttpResponse:
    entry = address.find(access, FORMATS[address.version], address.object_id, address.key.split("/"))
    if entry is None:
        raise _absent()
    name = hashlib.sha256(f"{address.version}\n{address.key}\n{entry.revision}".encode()).hexdigest()
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
        raise _not_signed_in()


def _not_signed_in() -> OpenHCSError:
    return OpenHCSError("not_signed_in", "You are not signed in, or your OMERO session has ended. Sign in again.", status=403)


def _absent() -> OpenHCSError:
    return OpenHCSError("not_found", "There is nothing at this address.", status=404)


def _refusal(error: OpenHCSError, request_id: str) -> HttpResponse:
    response = HttpResponse(error.envelope(request_id).model_dump_json(), content_type=JSON, status=error.status)
    response["Cache-Control"] = "no-store"
    return response
