# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ways to prove who asks: a service token, an OMERO session, or a signed-in OMERO.web session.

Secrets travel in headers and bodies only, never in an address, and never over plain HTTP to another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from http.cookiejar import CookieJar

import httpx
from pydantic import SecretStr, ValidationError

from ._errors import OpenHCSError
from ._http import error_of, is_confidential, unreachable
from ._service import SignedIn

__all__ = [
    "OmeroSessionAuth",
    "TokenAuth",
    "WebSessionAuth",
    "require_confidential",
    "sign_in_to_web",
    "sign_out_of_web",
    "web_root",
]

_RENEW_BEFORE = 30.0
"""A token is renewed this many seconds before it ends, so that it does not end on the way."""

_UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PAGES_OF_WEB = ("/openhcs", "/webclient", "/webgateway", "/api")


class TokenAuth(httpx.Auth):
    """Sends a bearer token; a function is asked for a fresh one at each request."""

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token if callable(token) else lambda: token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        yield request


class OmeroSessionAuth(httpx.Auth):
    """Exchanges the key of a running OMERO session for a service token, and does so again before the token ends."""

    requires_response_body = True

    def __init__(self, sign_in_url: httpx.URL, session: SecretStr, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = sign_in_url
        self._session = session
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._token or self._clock() >= self._renew_at:
            yield from self._sign_in(request)
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # The service may have been given a new secret since; one fresh token shows whether that was all.
            yield from self._sign_in(request)
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _sign_in(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        asked_at = self._clock()
        response = yield httpx.Request(
            "POST",
            self._url,
            json={"omero_session": self._session.get_secret_value()},
            headers={"Accept": "application/json"},
            extensions={"timeout": request.extensions["timeout"]} if "timeout" in request.extensions else {},
        )
        if not response.is_success:
            raise error_of(response)
        try:
            signed_in = SignedIn.model_validate_json(response.content)
        except ValidationError as error:
            raise OpenHCSError("unexpected_answer", f"{self._url.host} did not answer like OpenHCS.", status=502) from error
        self._token = signed_in.token
        self._renew_at = asked_at + max(signed_in.expires_in - _RENEW_BEFORE, signed_in.expires_in / 2)


class WebSessionAuth(httpx.Auth):
    """Adds what Django's CSRF protection asks for; the session itself is in the cookie jar."""

    def __init__(self, root: httpx.URL, cookies: CookieJar) -> None:
        self._referer = str(root)
        self._cookies = cookies

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.method in _UNSAFE_METHODS:
            request.headers["Referer"] = self._referer
            token = next((cookie.value for cookie in self._cookies if cookie.name == "csrftoken"), None)
            if token:
                request.headers["X-CSRFToken"] = token
        yield request


def require_confidential(url: httpx.URL, *, allow_insecure: bool) -> None:
    """Refuse to send a secret in the clear to another machine.

    Raises:
        OpenHCSError: ``insecure_address``, unless ``allow_insecure``.
    """
    if not allow_insecure and not is_confidential(url):
        raise OpenHCSError(
            "insecure_address",
            f"{url.scheme}://{url.host} is not encrypted, so your OMERO session or password will not be sent there. "
            "Use an https:// address.",
        )


def web_root(url: str) -> httpx.URL:
    """The root of an OMERO.web, from its own address or that of one of its pages.

    >>> str(web_root("https://omero.example.org/prefix/webclient/?show=plate-3"))
    'https://omero.example.org/prefix/'
    """
    given = httpx.URL(url)
    if given.scheme not in {"http", "https"} or not given.host:
        raise OpenHCSError(
            "invalid_address", f"{url!r} is not the address of an OMERO.web, such as https://omero.example.org/."
        )
    path = given.path.rstrip("/")
    for page in _PAGES_OF_WEB:
        before, found, after = path.partition(page)
        if found and (not after or after.startswith("/")):
            path = before
    return given.copy_with(path=f"{path}/", query=None, fragment=None)


def sign_in_to_web(
    root: httpx.URL,
    user: str,
    password: str,
    cookies: CookieJar,
    *,
    server: str | None = None,
    transport: httpx.BaseTransport | None = None,
    timeout: float = 10.0,
) -> None:
    """Sign in to OMERO.web through its JSON API and leave the session in ``cookies``.

    Args:
        root: Root of OMERO.web.
        user: OMERO user name.
        password: The password; sent once, in the body of a POST.
        cookies: The jar that receives the session and the CSRF token.
        server: Name or host of the OMERO server to choose where OMERO.web offers several; the first one when empty.
        transport: Replaces the network, for tests.
        timeout: Seconds to wait for each answer.

    Raises:
        OpenHCSError: ``sign_in_refused``, ``unknown_server``, ``service_unavailable`` or ``unexpected_answer``.
    """
    auth = WebSessionAuth(root, cookies)
    with httpx.Client(base_url=root, cookies=cookies, auth=auth, transport=transport, timeout=timeout) as client:
        try:
            _read(client.get("api/v0/token/"))  # sets the CSRF cookie
            servers = _read(client.get("api/v0/servers/"))["data"]
            answer = client.post(
                "api/v0/login/",
                data={"server": _server_id(servers, server), "username": user, "password": password},
            )
        except httpx.TransportError as error:
            raise unreachable(root, error) from error
        except (KeyError, TypeError) as error:
            raise _not_web(root) from error
    if answer.status_code in {400, 403}:
        raise OpenHCSError("sign_in_refused", "OMERO.web did not accept this user name and password.", status=401)
    if not _read(answer).get("success"):
        raise OpenHCSError("sign_in_refused", "OMERO.web did not sign you in.", status=401)


def sign_out_of_web(
    url: str, cookies: CookieJar, *, transport: httpx.BaseTransport | None = None, timeout: float = 10.0
) -> None:
    """End the session in ``cookies`` at OMERO.web.

    Raises:
        OpenHCSError: ``service_unavailable`` when OMERO.web does not answer.
    """
    root = web_root(url)
    with httpx.Client(
        base_url=root, cookies=cookies, auth=WebSessionAuth(root, cookies), transport=transport, timeout=timeout
    ) as client:
        try:
            client.post("webclient/logout/")  # answers with a redirect, also when the session is over already
        except httpx.TransportError as error:
            raise unreachable(root, error) from error


def _server_id(servers: list[dict], wanted: str | None) -> int:
    for entry in servers:
        if wanted is None or wanted in {entry.get("server"), entry.get("host"), str(entry["id"])}:
            return int(entry["id"])
    names = ", ".join(str(entry.get("server") or entry.get("host")) for entry in servers)
    raise OpenHCSError("unknown_server", f"This OMERO.web does not offer the server {wanted!r}; it offers: {names or 'none'}.")


def _read(response: httpx.Response) -> dict:
    try:
        body = response.json() if response.is_success else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _not_web(response.request.url)
    return body


def _not_web(url: httpx.URL) -> OpenHCSError:
    return OpenHCSError("unexpected_answer", f"{url.host} does not answer like an OMERO.web. Is the address right?", status=502)
