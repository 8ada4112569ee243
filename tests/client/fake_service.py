# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small model of the API for protocol tests: it keeps executions in memory and records every request.

It plays the execution service and OMERO.web with the plugin, as :class:`httpx.MockTransport` handler or behind a real socket.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx

from openhcs_client import PipelineDocument

DOCUMENT = PipelineDocument.model_validate(
    {
        "id": "nuclei-count",
        "version": 2,
        "name": "Count nuclei",
        "steps": [{"name": "Smooth", "function": "openhcs:gaussian_blur", "parameters": {"sigma": 1.5}}],
        "parameters": [
            {"name": "sigma", "title": "Blur", "step": 0, "parameter": "sigma", "type": "number", "default": 1.5},
        ],
    }
)
NOW = "2026-03-01T10:00:00Z"


def envelope(status: int, code: str, message: str, **field_errors: str) -> httpx.Response:
    body = {"error": {"code": code, "message": message, "field_errors": field_errors, "request_id": "r-1"}}
    return httpx.Response(status, json=body)


class FakeService:
    """The execution service. ``statuses`` is what ``status/`` says one after the other; the last one stays."""

    def __init__(self, root: str = "/api/v1/") -> None:
        self.root = root
        self.requests: list[httpx.Request] = []
        self.sessions = {"key-of-ada": "ada"}
        self.tokens: set[str] = set()
        self.token_seconds = 300
        self.statuses = ["running", "completed"]
        self.wells = 2
        self.failed = 0
        self.pages = 1
        self.deletions: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        path = request.url.path
        if path == "/healthz":
            return httpx.Response(200, json={"status": "ok", "version": "0.1.0"})
        if not path.startswith(self.root):
            return httpx.Response(404, text="not here")
        return self.api(request, path.removeprefix(self.root))

    def allowed(self, request: httpx.Request) -> bool:
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens

    def api(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "sign-in/":
            return self.sign_in(request)
        if not self.allowed(request):
            return envelope(401, "not_signed_in", "Your sign-in has ended.")
        match [request.method, *path.strip("/").split("/")]:
            case ["GET", "functions"]:
                return httpx.Response(200, json={"functions": [{"id": "a:b", "title": "B", "library": "a"}]})
            case ["GET", "pipelines"]:
                entry = {"id": "nuclei-count", "version": 2, "versions": [2, 1], "name": "Count nuclei"}
                page = int(request.url.params.get("page", 1))
                return httpx.Response(200, json={"pipelines": [entry], "total": 2, "page": page, "pages": self.pages})
            case ["GET", "pipelines", "nuclei-count"]:
                versions = [DOCUMENT.model_dump(mode="json")]
                return httpx.Response(200, json={"id": "nuclei-count", "versions": versions, **self.summary()})
            case ["DELETE", "pipelines", "nuclei-count"]:
                return httpx.Response(200, json={"deleted": "nuclei-count"})
            case ["POST", "pipelines", "nuclei-count", "copy"]:
                return httpx.Response(201, json=DOCUMENT.model_dump(mode="json") | {"id": "u2-nuclei-count"})
            case ["POST", "pipelines", "nuclei-count", "rename" | "share" | "deprecate"]:
                given = json.loads(request.content)
                if given["revision"] != 3:
                    return envelope(409, "pipeline_changed", "Somebody has changed it.")
                line = {"id": "nuclei-count", "version": 2, "versions": [2, 1], "name": given.get("name", "Count nuclei")}
                more = {"group": "lab", "private": given.get("group_id") == 9, "deprecated": given.get("deprecated", False)}
                return httpx.Response(200, json=line | more)
            case ["POST", "pipelines"]:
                saved = json.loads(request.content)["document"] | {"version": 7}
                return httpx.Response(201, json=saved)
            case ["POST", "pipelines", "validate"]:
                return httpx.Response(200, json={"valid": False, "field_errors": {"steps.0.function": "unknown"}})
            case ["POST", "pipelines", "render"]:
                return httpx.Response(200, json={"python": "pipeline = []\n"})
            case ["POST", "pipelines", "import-python"]:
                return httpx.Response(200, json=self.read_script(json.loads(request.content)["source"]))
            case ["POST", "executions"]:
                return self.submit(request)
            case ["GET", "executions"]:
                return httpx.Response(200, json={"executions": [self.execution()], "next_cursor": None})
            case ["GET", "executions", "e1"]:
                wells = [{"well": "A01", "row": 0, "column": 0, "well_id": 1, "state": "done"}]
                detail = {"document": DOCUMENT.model_dump(mode="json"), "rows": 2, "columns": 3, "wells": wells}
                return httpx.Response(200, json=self.execution() | detail | {"deletion": self.deletion()})
            case ["POST", "executions", "e1", "results", "deletion-plan"]:
                items = [
                    {"kind": "plate", "count": 1, "names": ["Plate – Count"]},
                    {"kind": "figure", "count": 6, "names": ["a"]},
                ]
                kept = [{"kind": "Image", "name": "A1", "reason": "It is also in dataset 5."}]
                plan = {"items": items, "kept": kept, "total": 7, "digest": "d" * 64}
                return httpx.Response(200, json={"execution_id": "e1", **plan})
            case ["POST", "executions", "e1", "results", "delete"]:
                if json.loads(request.content)["digest"] != "d" * 64:
                    return envelope(409, "plan_changed", "The results have changed since you looked.")
                self.deletions = ["deleting", *self.deletions]
                wells = {"document": DOCUMENT.model_dump(mode="json"), "rows": 2, "columns": 3, "wells": []}
                return httpx.Response(202, json=self.execution() | wells | {"deletion": self.deletion()})
            case ["GET", "executions", "e1", "status"]:
                return httpx.Response(200, json=self.status())
            case ["GET", "executions", "e1", "events"]:
                return self.events(request)
            case ["POST", "executions", "e1", "cancel" | "retry" | "session" | "pause" | "resume"]:
                return httpx.Response(202, json={})
            case ["POST", "executions", "e1", "rerun"]:
                return httpx.Response(201, json={"execution_id": "e2", "status_url": "/s", "results_url": "/r"})
            case ["GET", "admin", "queue"] | ["POST", "admin", "limits" | "drain" | "undrain"]:
                return httpx.Response(200, json=self.queue(draining=path == "admin/drain/"))
            case ["POST", "admin", "users", "2", "limits"]:
                return httpx.Response(200, json=self.queue())
            case ["GET", "admin", "audit"]:
                entry = {"id": 9, "time": "2026-11-25T10:00:00Z", "user_id": 0, "user_name": "root", "action": "change_limits"}
                details = {"name": "Ada", "cpu_hours_per_day": None}
                entries = [entry | {"target": "user 2", "details": details}]
                return httpx.Response(200, json={"entries": entries, "next_cursor": "9"})
            case ["GET", "executions", "e1", "measurements"]:
                return self.measurements(request)
            case ["GET" | "POST", "executions", "e1", "quality"]:
                return httpx.Response(200, json=self.quality())
            case ["GET", "executions", "e1", "report"]:
                return httpx.Response(200, content="<!DOCTYPE html>\n<title>Zähler</title>".encode())
            case ["GET" | "POST", "plates", "51", "controls"]:
                wells = [{"well": "A01", "role": "positive", "compound": "Agonist"}]
                return httpx.Response(200, json={"plate_id": 51, "source": "own", "marked_by": "Ada", "wells": wells})
            case ["GET", "executions", "e1", "wells", "A01", "labels"]:
                return httpx.Response(200, json=[{"field": 1, "name": "nuclei", "objects": 2}])
            case ["GET", "executions", "e1", "wells", "A01", "labels", "1", "nuclei"]:
                return httpx.Response(200, content=bytes(range(24)), headers={"X-Shape": "2,3"})
        return envelope(404, "execution_not_found", "There is no such execution.")

    def read_script(self, source: str) -> dict:
        """Plays the reader of scripts: a comment in it says how much of it is understood."""
        note = {"line": 3, "column": 5, "severity": "error", "message": "A loop is not run."}
        document = None if "nothing" in source else DOCUMENT.model_dump(mode="json")
        wrong = {"steps.0.parameters.sigma": "At most 100."} if "wrong" in source else {}
        return {"document": document, "notes": [] if "all" in source else [note], "field_errors": wrong}

    def queue(self, *, draining: bool = False) -> dict:
        """What administrators see: one execution that waits, and its user."""
        line = {"execution_id": "e1", "owner_id": 2, "owner_name": "Ada", "plate_name": "Plate", "pipeline_name": "Count"}
        state = {"status": "queued", "test_well": False, "paused": False, "priority": 0, "created_at": "2026-11-25T10:00:00Z"}
        wells = {"wells_total": 2, "wells_waiting": 2, "wells_in_work": 0}
        why = {"queue_position": 1, "waiting_code": "workers_busy", "waiting_reason": "All workers are busy."}
        used = {"user_id": 2, "name": "Ada", "cpu_hours_today": 1.25, "wells_today": 7, "wells_in_work": 0}
        parts = {"executions_in_work": 0, "executions_waiting": 1, "own_executions_at_once": 3}
        limits = {"executions_at_once": 2, "cpu_hours_per_day": 0, "ageing_minutes": 10}
        return {
            "draining": draining,
            "drained_by": "root" if draining else "",
            "limits": limits,
            "defaults": limits,
            "workers": 4,
            "wells_in_work": 0,
            "executions": [line | state | wells | why],
            "people": [used | parts],
        }

    def deletion(self) -> dict | None:
        """How far the deletion is; the last state stays."""
        if not self.deletions:
            return None
        state = self.deletions.pop(0) if len(self.deletions) > 1 else self.deletions[0]
        message = "OMERO did not delete 3 objects." if state == "failed" else ""
        return {"state": state, "by_name": "ada", "requested_at": NOW, "total": 7, "done": 7, "message": message}

    def summary(self) -> dict:
        """The line of a pipeline, which OMERO.web gives and the service itself does not."""
        return {}

    def sign_in(self, request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["omero_session"] not in self.sessions:
            return envelope(401, "omero_session_lost", "Your OMERO session has ended.")
        token = f"token-{len(self.requests)}"
        self.tokens = {token}
        body = {"token": token, "expires_in": self.token_seconds, "user_id": 2, "user_name": "ada"}
        return httpx.Response(200, json=body)

    def submit(self, request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["plate_id"] == 404:
            return envelope(404, "plate_not_found", "Plate 404 does not exist, or you may not read it.", plate_id="unknown")
        body = {"execution_id": "e1", "status_url": "/s", "results_url": "/r"}
        return httpx.Response(201, json=body)

    def execution(self) -> dict:
        return {
            "execution_id": "e1",
            "plate_id": 51,
            "plate_name": "Plate",
            "group_id": 3,
            "owner_id": 2,
            "owner_name": "ada",
            "pipeline_id": "nuclei-count",
            "pipeline_name": "Count nuclei",
            "pipeline_version": 2,
            "pipeline_hash": "0" * 64,
            "status": self.statuses[0],
            "wells_total": self.wells,
            "created_at": NOW,
            "results": {"table_file_id": 9},
        }

    def status(self) -> dict:
        now = self.statuses[0]
        return {
            "execution_id": "e1",
            "status": now,
            "wells_total": self.wells,
            "wells_completed": 0 if now == "running" else self.wells - self.failed,
            "wells_failed": 0 if now == "running" else self.failed,
            "current_well": "A01" if now == "running" else None,
            "current_step": "Smooth" if now == "running" else None,
            "last_event": 1,
        }

    def events(self, request: httpx.Request) -> httpx.Response:
        since = int(request.url.params["since"])
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        failure = {"failure": {"cause": "bad_input", "message": "The field is empty."}}
        kind, data = ("well_failed", failure) if self.failed else ("well_done", {})
        event = {"sequence": since + 1, "time": NOW, "kind": kind, "well": "A02", "data": data}
        return httpx.Response(200, json={"events": [event], "next": since + 1, "status": self.statuses[0]})

    def quality(self) -> dict:
        controls = {"positive_wells": 8, "negative_wells": 8, "z_prime": 0.7183, "verdict": "excellent"}
        edge = {"found": True, "note": "Edge effect: higher."}
        count = {"name": "count", "wells": 9, "missing": 0, "controls": controls, "edge": edge, "drift": []}
        flags = [{"well": "A02", "field": 1, "kind": "saturated", "message": "2 % of the pixels."}]
        numbers = {"wells_total": 9, "wells_used": 9, "positive_wells": 8, "negative_wells": 8}
        return {"execution_id": "e1", **numbers, "measurements": [count], "flags": flags}

    def measurements(self, request: httpx.Request) -> httpx.Response:
        rows = {None: [["A01", 12.0], ["A02", None]], "2": [["A03", 7]]}
        cursor = request.url.params.get("cursor")
        body = {
            "level": request.url.params["level"],
            "columns": ["well", "count"],
            "rows": rows[cursor],
            "total_rows": 3,
            "next_cursor": "2" if cursor is None else None,
        }
        return httpx.Response(200, json=body)

    def bodies(self, method: str, end_of_path: str) -> list[dict]:
        """The JSON bodies of the requests that went there."""
        return [
            json.loads(request.content)
            for request in self.requests
            if request.method == method and request.url.path.endswith(end_of_path)
        ]


class FakeWeb(FakeService):
    """OMERO.web with the plugin: JSON login, session cookie, CSRF and Referer checks as Django does them."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__(f"{prefix}/openhcs/api/v1/")
        self.prefix = prefix
        self.csrf = "csrf-1"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        path = request.url.path.removeprefix(self.prefix)
        if path == "/api/v0/token/":
            return httpx.Response(200, json={"data": self.csrf}, headers={"Set-Cookie": f"csrftoken={self.csrf}; Path=/"})
        if path == "/api/v0/servers/":
            servers = [{"id": 1, "host": "other", "port": 4064, "server": "archive"}, {"id": 2, "host": "omero", "port": 4064}]
            return httpx.Response(200, json={"data": servers})
        if path == "/api/v0/login/":
            self.requests.append(request)
            return self.login(request)
        if path == "/webclient/logout/" and self.allowed(request):
            self.requests.append(request)
            return httpx.Response(302, headers={"Location": "/webclient/login/"})
        return super().__call__(request)

    def summary(self) -> dict:
        line = {"id": "nuclei-count", "version": 2, "versions": [2, 1], "name": "Count nuclei", "revision": 3}
        return {"summary": line}

    def login(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if not self.passes_csrf(request):
            return httpx.Response(403, text="CSRF")
        if (form["username"], form["password"]) != ("ada", "secret"):
            return httpx.Response(403, json={"message": "Connection not available, please check your user name and password."})
        self.csrf = "csrf-2"  # Django rotates the token at login
        cookies = [("Set-Cookie", "csrftoken=csrf-2; Path=/"), ("Set-Cookie", "sessionid=web-1; Path=/; HttpOnly")]
        return httpx.Response(200, json={"success": True, "eventContext": {}}, headers=cookies)

    def passes_csrf(self, request: httpx.Request) -> bool:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        same_site = request.headers.get("Referer", "").startswith(origin + self.prefix)
        return request.headers.get("X-CSRFToken") == self.csrf and same_site

    def allowed(self, request: httpx.Request) -> bool:
        signed_in = "sessionid=web-1" in request.headers.get("Cookie", "")
        return signed_in and (request.method == "GET" or self.passes_csrf(request))


@contextmanager
def served(handler: Callable[[httpx.Request], httpx.Response]) -> Iterator[str]:
    """Put the handler behind a socket on loopback and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = f"http://{self.headers['Host']}{self.path}"
            response = handler(httpx.Request(self.command, url, headers=list(self.headers.items()), content=body))
            self.send_response(response.status_code)
            for name, value in response.headers.multi_items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = answer  # noqa: N815 - the name that http.server calls
        do_POST = answer  # noqa: N815
        do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
