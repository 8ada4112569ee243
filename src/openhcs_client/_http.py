# SPDX-License-Identifier: AGPL-3.0-or-later
"""One HTTP connection to an OpenHCS API: every failure becomes an :class:`OpenHCSError` with a sentence.

A request is repeated only when that cannot do anything twice: reading, and submissions that carry an ``Idempotency-Key``.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ._errors import ErrorEnvelope, OpenHCSError

__all__ = ["ApiConnection", "api_root", "error_of", "is_confidential", "is_loopback", "path_of", "unreachable"]

_API = "api/v1/"
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_TRY_AGAIN = frozenset({502, 503, 504})
_FIRST_PAUSE = 0.2


class ApiConnection:
    """Sends requests to one API root, such as ``http://127.0.0.1:7777/api/v1/``.

    Args:
        root: Address of the API, with a slash at the end.
        auth: What signs each request.
        cookies: A jar to use and fill; for OMERO.web sessions.
        transport: Replaces the network, for tests.
        timeout: Seconds to wait for a connection and between bytes.
        retries: How often a repeatable request is sent again when the server cannot be reached.
        pause: Called with the seconds to wait before a repetition.
    """

    def __init__(
        self,
        root: str,
        *,
        auth: httpx.Auth | None = None,
        cookies: CookieJar | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
        retries: int = 2,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.root = httpx.URL(root)
        self._retries = retries
        self._pause = pause
        self._client = httpx.Client(
            base_url=root,
            auth=auth,
            cookies=cookies,
            transport=transport,
            timeout=timeout,
            # A proxy named in the environment cannot reach this machine's own loopback.
            trust_env=not is_loopback(self.root),
            headers={"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"},
        )

    def close(self) -> None:
        """Close the sockets."""
        self._client.close()

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx.Response:
        """GET ``path`` below the root (or an absolute address); parameters that are ``None`` are left out."""
        return self._request("GET", path, params=_query(parameters))

    def stream(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Iterator[bytes]:
        """GET something large. The answer has begun, and is a success, when this returns; its bytes come with iteration.

        ``timeout`` are the seconds to wait for its beginning and between bytes, when not those of other requests.

        A connection that breaks off on the way raises from the iteration, so that half a file is never taken for a whole one.
        """
        patience = self._client.timeout if timeout is None else timeout
        request = self._client.build_request("GET", path, params=_query(parameters), timeout=patience)
        try:
            response = self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise unreachable(self.root, error) from error
        if not response.is_success:
            response.read()
            response.close()
            raise error_of(response)
        return self._pieces(response)

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise unreachable(self.root, error) from error
        finally:
            response.close()

    def post(
        self, path: str, body: BaseModel | Mapping[str, Any] | None = None, *, idempotency_key: str = ""
    ) -> httpx.Response:
        """POST ``body`` as JSON, or nothing; with an idempotency key the request may be repeated."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._request("POST", path, json=body, headers=headers)

    def delete(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx.Response:
        """DELETE ``path``; parameters that are ``None`` are left out."""
        return self._request("DELETE", path, params=_query(parameters))

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        repeatable = method in _SAFE_METHODS or "Idempotency-Key" in arguments.get("headers", {})
        left = self._retries if repeatable else 0
        wait = _FIRST_PAUSE
        while True:
            try:
                response = self._client.request(method, path, **arguments)
            except httpx.TransportError as error:
                failure = unreachable(self.root, error)
            else:
                if response.is_success:
                    return response
                failure = error_of(response)
                if response.status_code not in _TRY_AGAIN:
                    raise failure
            if left == 0:
                raise failure
            left -= 1
            self._pause(wait)
            wait *= 3


def api_root(url: str) -> httpx.URL:
    """The root of the API, from the address of a service or of the plugin.

    >>> str(api_root("https://omero.example.org/openhcs"))
    'https://omero.example.org/openhcs/api/v1/'
    """
    given = httpx.URL(url)
    if given.scheme not in {"http", "https"} or not given.host:
        raise OpenHCSError("invalid_address", f"{url!r} is not an http:// or https:// address.")
    path = given.path.rstrip("/") + "/"
    return given.copy_with(path=path if path.endswith(f"/{_API}") else path + _API, query=None, fragment=None)


def path_of(*segments: str | int) -> str:
    """Join path segments into a relative path with a slash at the end, each segment quoted.

    >>> path_of("executions", "a/b", "status")
    'executions/a%2Fb/status/'
    """
    return "".join(f"{quote(str(segment), safe='')}/" for segment in segments)


def is_loopback(url: httpx.URL) -> bool:
    """Does the address point at this machine?"""
    if url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def is_confidential(url: httpx.URL) -> bool:
    """May a password or a session key be sent there: over TLS, or without leaving this machine?"""
    return url.scheme == "https" or is_loopback(url)


def unreachable(root: httpx.URL, error: httpx.TransportError) -> OpenHCSError:
    """The error for a server that did not answer."""
    place = f"{root.scheme}://{root.netloc.decode('ascii')}"
    if isinstance(error, httpx.TimeoutException):
        sentence = f"{place} did not answer in time. Try again in a moment."
    elif isinstance(error, httpx.ConnectError):
        sentence = f"Nothing answers at {place}. Is it running, and is the address right?"
    else:
        sentence = f"The connection to {place} broke off. Try again in a moment."
    return OpenHCSError("service_unavailable", sentence, status=503)


def error_of(response: httpx.Response) -> OpenHCSError:
    """Turn an answer that is not a success into the error it stands for."""
    try:
        body = ErrorEnvelope.model_validate_json(response.content).error
    except ValidationError:
        return _error_without_envelope(response)
    return OpenHCSError(
        body.code,
        body.message,
        status=response.status_code,
        field_errors=body.field_errors,
        request_id=body.request_id,
    )


def _error_without_envelope(response: httpx.Response) -> OpenHCSError:
    host = response.request.url.host
    status = response.status_code
    if status in _TRY_AGAIN:
        return OpenHCSError("service_unavailable", f"{host} cannot answer now ({status}). Try again in a moment.", status=503)
    if status in {401, 403} or (response.is_redirect and "login" in response.headers.get("Location", "")):
        return OpenHCSError("not_signed_in", f"{host} asks you to sign in.", status=401)
    return OpenHCSError(
        "unexpected_answer",
        f"{host} answered {response.request.method} {response.request.url.path} with {status}, which is no answer of OpenHCS. "
        "Is the address right?",
        status=502,
    )


def _query(parameters: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not parameters:
        return None
    return {name: value for name, value in parameters.items() if value is not None}
