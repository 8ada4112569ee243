# SPDX-License-Identifier: AGPL-3.0-or-later
"""``RemoteOrchestrator``: run pipelines on a plate in OMERO from a notebook, a script or another program.

With the OMERO session of a notebook, against the execution service::

    orchestrator = RemoteOrchestrator("127.0.0.1", 7777, omero_session=conn.getSession().getUuid().getValue())
    execution_id = orchestrator.execute_remote(plate_id=51, pipeline="nuclei-count", config={"wells": ["A01", "A02"]})
    orchestrator.wait(execution_id)
    table = orchestrator.results(execution_id).measurements("well")

From a computer that sees OMERO.web only::

    orchestrator = RemoteOrchestrator.sign_in_to_web("https://omero.example.org/", "ada", getpass())

Both speak the same API. Only two things differ: OMERO.web opens the session of the execution by itself, so a submission to it
names no session; and OMERO.web keeps pipelines of users, so a document given to ``execute_remote`` is saved there first,
unless one of its versions says the same already.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, TypeAdapter

from ._administration import Administration
from ._answers import PipelineVersions, RenderedPipeline, parse
from ._documents import read_document
from ._errors import OpenHCSError
from ._executions import (
    EventPage,
    ExecutionCreated,
    ExecutionDetail,
    ExecutionPage,
    ExecutionStatus,
    LabelInfo,
    MeasurementLevel,
    MeasurementPage,
    SubmitExecution,
)
from ._golden import GoldenCheck, GoldenQuestion, RecordGoldenWell
from ._http import ApiConnection, api_root, path_of
from ._library import (
    ChangeOfPipeline,
    CopyPipeline,
    DeprecatePipeline,
    PipelinePage,
    PipelinePlace,
    PipelineSearch,
    RenamePipeline,
    SharePipeline,
)
from ._live import LiveTicket
from ._passport import Methods, Passport
from ._pipelines import FunctionInfo, ParameterValue, PipelineDocument, PipelineOrigin, PipelineSummary, ValidationReport
from ._plates import PlateShape
from ._python_import import ImportedPipeline, ImportPython
from ._quality import PlateControls, QualityReport, WellContent, WellRole
from ._queue import RetryWhich
from ._results import ExecutionResults, LabelImage, MeasurementRows
from ._saving import DeletionPlan
from ._service import ServiceHealth, ServiceSubmission
from ._sign_in import OmeroSessionAuth, TokenAuth, WebSessionAuth, require_confidential, sign_in_to_web, web_root
from ._submission import RunSettings, as_json, submission_body
from ._tables import (
    ColumnHistogram,
    LabelThumbnails,
    TableFilter,
    TableFormat,
    TablePoints,
    TableRows,
    ThumbnailSheet,
    WellValues,
    filters_as_text,
)
from ._waiting import wait_for
from ._well_log import WellLog

__all__ = ["RemoteOrchestrator"]

Model = TypeVar("Model", bound=BaseModel)

_PASSPORT_SECONDS = 120.0
"""Until the first byte of a passport: the tables of a large plate are joined before."""


class RemoteOrchestrator:
    """The API of an execution service, or of OMERO.web with the OpenHCS plugin.

    Args:
        host: Where the execution service runs.
        port: Its port.
        base_url: Address of the service or of the plugin instead of host and port, for example
            ``https://omero.example.org/openhcs/``; ``api/v1/`` is added when it is not there.
        token: A service token, or a function that gives a fresh one for each request.
        omero_session: Key of your running OMERO session; the client signs in with it, and again whenever its token ends.
            The service opens a session of its own for each execution, so yours may end before the run does.
        web_cookies: A jar with a signed-in OMERO.web session; see :meth:`sign_in_to_web`.
        transport: Replaces the network, for tests.
        timeout: Seconds to wait for a connection and between bytes.
        retries: How often a request that may be repeated is sent again when nobody answers.
        allow_insecure: Send sessions over plain HTTP to another machine, inside a network that you trust.

    Every method raises :class:`OpenHCSError`; when nobody answers its code is ``service_unavailable``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 7777,
        *,
        base_url: str | None = None,
        token: str | Callable[[], str] | None = None,
        omero_session: str | None = None,
        web_cookies: CookieJar | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
        retries: int = 2,
        allow_insecure: bool = False,
    ) -> None:
        if sum(way is not None for way in (token, omero_session, web_cookies)) > 1:
            raise ValueError("give one of token, omero_session and web_cookies")
        root = api_root(base_url or f"http://{f'[{host}]' if ':' in host else host}:{port}/")
        self._allow_insecure = allow_insecure
        self._omero_session = SecretStr(omero_session) if omero_session else None
        self._through_web = web_cookies is not None
        auth: httpx.Auth | None = None
        if token is not None:
            auth = TokenAuth(token)
        elif self._omero_session is not None:
            require_confidential(root, allow_insecure=allow_insecure)
            auth = OmeroSessionAuth(root.join("sign-in/"), self._omero_session)
        elif web_cookies is not None:
            require_confidential(root, allow_insecure=allow_insecure)
            auth = WebSessionAuth(root, web_cookies)
        self._api = ApiConnection(
            str(root), auth=auth, cookies=web_cookies, transport=transport, timeout=timeout, retries=retries
        )

    @classmethod
    def sign_in_to_web(
        cls,
        url: str,
        user: str,
        password: str,
        *,
        server: str | None = None,
        cookies: CookieJar | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
        allow_insecure: bool = False,
    ) -> Self:
        """Sign in to OMERO.web with a user name and password and work through the plugin.

        Args:
            url: Address of OMERO.web, or of any of its pages.
            user: OMERO user name.
            password: The password; it is sent once and not kept.
            server: Which OMERO server, where OMERO.web offers several.
            cookies: A jar to keep the session in, for example on disk.
            transport: Replaces the network, for tests.
            timeout: Seconds to wait for each answer.
            allow_insecure: Allow plain HTTP to another machine.
        """
        root = web_root(url)
        require_confidential(root, allow_insecure=allow_insecure)
        jar = CookieJar() if cookies is None else cookies
        sign_in_to_web(root, user, password, jar, server=server, transport=transport, timeout=timeout)
        return cls(
            base_url=str(root.join("openhcs/")),
            web_cookies=jar,
            transport=transport,
            timeout=timeout,
            allow_insecure=allow_insecure,
        )

    @property
    def url(self) -> str:
        """Root of the API."""
        return str(self._api.root)

    def close(self) -> None:
        """Close the connection; executions go on."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The catalogue

    def functions(self, offered: bool = True) -> list[FunctionInfo]:
        """The functions that steps may name; with ``offered=False`` also those that are not offered, with the reason."""
        body = self._api.get("functions/", {"offered": "true" if offered else "false"})
        return parse(TypeAdapter(dict[str, list[FunctionInfo]]), body)["functions"]

    def function(self, function_id: str) -> FunctionInfo:
        """One function of the catalogue."""
        return self._get(FunctionInfo, path_of("functions", function_id))

    def pipelines(
        self,
        q: str = "",
        *,
        origin: PipelineOrigin | None = None,
        owner: int | Literal["me"] | None = None,
        group: int | None = None,
        deprecated: bool = False,
    ) -> list[PipelineSummary]:
        """The pipelines that you can run and that have every word of ``q`` in name, description, steps, functions or tags.

        The filters beside ``q`` are those of OMERO.web; the execution service itself knows its own pipelines only.
        """
        search = PipelineSearch(q=q, origin=origin, owner=owner, group=group, deprecated=deprecated, limit=200)
        page = self.pipeline_page(search)
        found = page.pipelines
        while page.page < page.pages:
            page = self.pipeline_page(search.model_copy(update={"page": page.page + 1}))
            found += page.pipelines
        return found

    def pipeline_page(self, search: PipelineSearch) -> PipelinePage:
        """One page of the list of pipelines."""
        query = search.model_dump(mode="json", exclude_defaults=True)
        return self._get(PipelinePage, "pipelines/", {name: _query_text(value) for name, value in query.items()})

    def pipeline(self, pipeline_id: str) -> list[PipelineDocument]:
        """Every version of a pipeline, newest first."""
        return parse(PipelineVersions, self._api.get(path_of("pipelines", pipeline_id))).versions

    def save_pipeline(self, document: PipelineDocument, based_on: int | None = None) -> PipelineDocument:
        """Save a new version of a pipeline of yours (OMERO.web only); the answer carries the version it got.

        With ``based_on``, the version that was edited, saving is refused when somebody has saved a newer one since.
        """
        body: dict[str, Any] = {"document": document.model_dump(mode="json")}
        if based_on is not None:
            body["based_on"] = based_on
        return parse(PipelineDocument, self._api.post("pipelines/", body))

    def copy_pipeline(
        self,
        pipeline_id: str,
        *,
        version: int | None = None,
        name: str | None = None,
        group_id: int | None = None,
        place: PipelinePlace | None = None,
    ) -> PipelineDocument:
        """Make a copy of your own of any pipeline that you can read (OMERO.web only)."""
        wanted = CopyPipeline(version=version, name=name, group_id=group_id, place=place)
        body = wanted.model_dump(mode="json", exclude_none=True)
        return parse(PipelineDocument, self._api.post(path_of("pipelines", pipeline_id, "copy"), body))

    def import_pipeline(self, document: PipelineDocument | Mapping[str, Any], group_id: int | None = None) -> PipelineDocument:
        """Save a document, whoever made it, as a new pipeline of yours under an id that is free (OMERO.web only)."""
        body: dict[str, Any] = {"document": as_json(document), "as_copy": True}
        if group_id is not None:
            body["group_id"] = group_id
        return parse(PipelineDocument, self._api.post("pipelines/", body))

    def pipeline_summary(self, pipeline_id: str) -> PipelineSummary:
        """The line of one pipeline, with the ``revision`` that a change must name (OMERO.web only)."""
        return parse(PipelineVersions, self._api.get(path_of("pipelines", pipeline_id))).known_summary()

    def rename_pipeline(
        self, pipeline_id: str, name: str, *, revision: int, tags: Sequence[str] | None = None
    ) -> PipelineSummary:
        """Show a pipeline of yours under another name, and with other tags where given; no version changes."""
        wanted = RenamePipeline(revision=revision, name=name, tags=None if tags is None else list(tags))
        return self._change_pipeline(pipeline_id, "rename", wanted)

    def share_pipeline(
        self, pipeline_id: str, group_id: int, *, revision: int, although_unchecked: bool = False
    ) -> PipelineSummary:
        """Move a pipeline of yours to another group of yours, whose permissions then decide who sees it.

        Raises:
            OpenHCSError: among others ``golden_wells_not_checked`` or ``golden_wells_differ``, unless ``although_unchecked``.
        """
        wanted = SharePipeline(revision=revision, group_id=group_id, although_unchecked=although_unchecked)
        return self._change_pipeline(pipeline_id, "share", wanted)

    def deprecate_pipeline(
        self, pipeline_id: str, *, revision: int, note: str = "", deprecated: bool = True
    ) -> PipelineSummary:
        """Hide a pipeline of yours from lists, with a note, or show it again."""
        wanted = DeprecatePipeline(revision=revision, deprecated=deprecated, note=note)
        return self._change_pipeline(pipeline_id, "deprecate", wanted)

    def delete_pipeline(self, pipeline_id: str, *, revision: int) -> None:
        """Delete a pipeline of yours with all its versions. Runs keep their record."""
        self._api.delete(path_of("pipelines", pipeline_id), {"revision": revision})

    def _change_pipeline(self, pipeline_id: str, what: str, wanted: ChangeOfPipeline) -> PipelineSummary:
        body = wanted.model_dump(mode="json", exclude_none=True)
        return parse(PipelineSummary, self._api.post(path_of("pipelines", pipeline_id, what), body))

    def validate(
        self,
        document: PipelineDocument | Mapping[str, Any],
        channels: Sequence[str] | None = None,
        *,
        plate_id: int | None = None,
        wells: Sequence[str] | None = None,
        parameters: Mapping[str, ParameterValue] | None = None,
        plate: PlateShape | None = None,
    ) -> ValidationReport:
        """Check a document, also against the channels of a plate. A document that is wrong gives a report, not an error.

        With ``plate_id`` (and ``wells``, all by default) OMERO.web checks it for running on that plate with ``parameters``, and
        the report has an estimate. The execution service knows no plates by itself; it takes the ``plate``'s shape instead.
        """
        body: dict[str, Any] = {"document": as_json(document), "channels": list(channels) if channels is not None else None}
        if plate_id is not None:
            body |= {"plate_id": plate_id, "wells": list(wells) if wells is not None else None}
        if plate is not None:
            body["plate"] = plate.model_dump(mode="json")
        if parameters is not None:
            body["parameters"] = dict(parameters)
        return parse(ValidationReport, self._api.post("pipelines/validate/", body))

    def render(self, document: PipelineDocument | Mapping[str, Any]) -> str:
        """The document as Python source for OpenHCS on a desktop."""
        return parse(RenderedPipeline, self._api.post("pipelines/render/", {"document": as_json(document)})).python

    # Golden wells

    def known_of_golden_wells(self, question: GoldenQuestion) -> GoldenCheck:
        """What the newest test runs of golden wells measured (execution service only). Nothing is started."""
        return parse(GoldenCheck, self._api.post("pipelines/golden-check/", question.model_dump(mode="json")))

    def golden_check(self, pipeline_id: str, version: int | None = None, expected_by: int | None = None) -> GoldenCheck:
        """The newest check of a pipeline's golden wells (OMERO.web only). Nothing is started; see ``check_golden_wells``."""
        query = {"version": version, "expected_by": expected_by}
        return self._get(GoldenCheck, path_of("pipelines", pipeline_id, "check"), query)

    def record_golden_well(self, pipeline_id: str, wanted: RecordGoldenWell) -> PipelineDocument:
        """Add a well of an execution of yours to the golden wells of your pipeline, as a new version (OMERO.web only)."""
        body = wanted.model_dump(mode="json")
        return parse(PipelineDocument, self._api.post(path_of("pipelines", pipeline_id, "golden-wells"), body))

    def import_python(self, source: str, name: str = "") -> ImportedPipeline:
        """Read an OpenHCS script as a pipeline document. Nothing of it is executed; what does not map is told by line.

        ``name`` is what to call the pipeline when the script does not say.
        """
        body = ImportPython(source=source, name=name).model_dump(mode="json")
        return parse(ImportedPipeline, self._api.post("pipelines/import-python/", body))

    # Executions

    def submit(self, submission: SubmitExecution, idempotency_key: str | None = None) -> ExecutionCreated:
        """Ask for an execution. A second call with the same key gives the first one's answer; the default is a new key."""
        if isinstance(submission, ServiceSubmission):
            require_confidential(self._api.root, allow_insecure=self._allow_insecure)
        key = idempotency_key or uuid.uuid4().hex
        return parse(ExecutionCreated, self._api.post("executions/", submission_body(submission), idempotency_key=key))

    def executions(
        self,
        *,
        plate: int | None = None,
        status: str | None = None,
        owner: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ExecutionPage:
        """A page of the executions that you may see, newest first."""
        query = {"plate": plate, "status": status, "owner": owner, "cursor": cursor, "limit": limit}
        return self._get(ExecutionPage, "executions/", query)

    def execution(self, execution_id: str) -> ExecutionDetail:
        """An execution with its wells."""
        return self._get(ExecutionDetail, path_of("executions", execution_id))

    def status(self, execution_id: str) -> ExecutionStatus:
        """How far it is. OMERO.web also answers at ``/openhcs/status/<execution_id>/``."""
        return self._get(ExecutionStatus, path_of("executions", execution_id, "status"))

    def events(self, execution_id: str, since: int = 0, limit: int | None = None) -> EventPage:
        """What happened after the event with the sequence number ``since``."""
        return self._get(EventPage, path_of("executions", execution_id, "events"), {"since": since, "limit": limit})

    def live_ticket(self, execution_id: str) -> LiveTicket:
        """A ticket that opens one live connection to an execution that you may see."""
        return parse(LiveTicket, self._api.post(path_of("executions", execution_id, "ticket")))

    def cancel(self, execution_id: str) -> None:
        """Stop an execution; wells that are done are kept."""
        self._api.post(path_of("executions", execution_id, "cancel"))

    def pause(self, execution_id: str) -> None:
        """Begin no further well; those in work are finished."""
        self._api.post(path_of("executions", execution_id, "pause"))

    def resume(self, execution_id: str) -> None:
        """Let a paused execution go on."""
        self._api.post(path_of("executions", execution_id, "resume"))

    def rerun(
        self,
        execution_id: str,
        key: str | None = None,
        session_for_job: bool = False,
        idempotency_key: str | None = None,
    ) -> ExecutionCreated:
        """Run the same again as a new execution: pipeline, parameters, plate and wells. The session is as for a retry."""
        address = path_of("executions", execution_id, "rerun")
        answer = self._api.post(
            address, self._session_body(key, session_for_job), idempotency_key=idempotency_key or str(uuid.uuid4())
        )
        return parse(ExecutionCreated, answer)

    @property
    def administration(self) -> Administration:
        """The queue of everybody, for OMERO administrators."""
        return Administration(self._api)

    def retry(
        self,
        execution_id: str,
        key: str | None = None,
        session_for_job: bool = False,
        which: RetryWhich = "unfinished",
    ) -> None:
        """Run the failed and skipped wells again, or only ``which``.

        The session of a finished execution is closed. ``key`` gives it a new one; at the execution service the client's own
        OMERO session is the default, and OMERO.web opens one by itself.
        """
        chosen = "" if which == "unfinished" else f"?which={which}"
        self._api.post(path_of("executions", execution_id, "retry") + chosen, self._session_body(key, session_for_job))

    def _session_body(self, key: str | None, session_for_job: bool) -> dict[str, Any] | None:
        """The session that a command brings: ``key``, or the client's own; none through OMERO.web, which opens one."""
        if key is None and self._omero_session is not None:
            key = self._omero_session.get_secret_value()
        if key is None:
            return None
        require_confidential(self._api.root, allow_insecure=self._allow_insecure)
        return {"omero_session": key, "session_for_job": session_for_job}

    def renew_session(self, execution_id: str, key: str, session_for_job: bool = False) -> None:
        """Give a new OMERO session to an execution that waits for sign-in (execution service only)."""
        require_confidential(self._api.root, allow_insecure=self._allow_insecure)
        body = {"omero_session": key, "session_for_job": session_for_job}
        self._api.post(path_of("executions", execution_id, "session"), body)

    # Results

    def deletion_plan(self, execution_id: str, key: str | None = None, session_for_job: bool = False) -> DeletionPlan:
        """Exactly what deleting the results from OMERO would remove, and what stays. The session is as for a retry."""
        address = path_of("executions", execution_id, "results", "deletion-plan")
        return parse(DeletionPlan, self._api.post(address, self._session_body(key, session_for_job)))

    def delete_results(
        self, execution_id: str, digest: str, key: str | None = None, session_for_job: bool = False
    ) -> ExecutionDetail:
        """Delete what the plan with this ``digest`` lists. It goes on by itself; ``execution().deletion`` says how far it is.

        Raises:
            OpenHCSError: ``plan_changed`` when there is something else to delete by now.
        """
        body = (self._session_body(key, session_for_job) or {}) | {"digest": digest}
        return parse(ExecutionDetail, self._api.post(path_of("executions", execution_id, "results", "delete"), body))

    def measurements(
        self,
        execution_id: str,
        *,
        level: MeasurementLevel | str = MeasurementLevel.WELL,
        well: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> MeasurementPage:
        """A page of measurements."""
        query = {"level": MeasurementLevel(level).value, "well": well, "cursor": cursor, "limit": limit}
        return self._get(MeasurementPage, path_of("executions", execution_id, "measurements"), query)

    def table(
        self,
        execution_id: str,
        level: MeasurementLevel | str = MeasurementLevel.WELL,
        *,
        filters: Sequence[TableFilter] = (),
        sort: str | None = None,
        descending: bool = False,
        offset: int = 0,
        limit: int = 100,
    ) -> TableRows:
        """A page of the rows that fulfil all ``filters``, sorted by a column; missing values come last."""
        query = {**_table_query(level, filters, sort, descending), "offset": offset, "limit": limit}
        return self._get(TableRows, path_of("executions", execution_id, "table"), query)

    def histogram(
        self,
        execution_id: str,
        column: str,
        level: MeasurementLevel | str = MeasurementLevel.WELL,
        *,
        filters: Sequence[TableFilter] = (),
        bins: int = 40,
    ) -> ColumnHistogram:
        """How the values of a column are spread."""
        query = {**_table_query(level, filters), "column": column, "bins": bins}
        return self._get(ColumnHistogram, path_of("executions", execution_id, "table", "histogram"), query)

    def points(
        self,
        execution_id: str,
        x: str,
        y: str,
        level: MeasurementLevel | str = MeasurementLevel.WELL,
        *,
        filters: Sequence[TableFilter] = (),
        most: int | None = None,
    ) -> TablePoints:
        """Two columns against each other: all points, or a sample and their density where there are more than ``most``."""
        query = {**_table_query(level, filters), "x": x, "y": y, "most": most}
        return self._get(TablePoints, path_of("executions", execution_id, "table", "points"), query)

    def well_values(self, execution_id: str, column: str) -> WellValues:
        """One number per well: the median over its objects, or the value of the well where objects have no such column."""
        return self._get(WellValues, path_of("executions", execution_id, "table", "wells"), {"column": column})

    def download_table(
        self,
        execution_id: str,
        level: MeasurementLevel | str = MeasurementLevel.WELL,
        form: TableFormat | str = TableFormat.PARQUET,
        *,
        filters: Sequence[TableFilter] = (),
        sort: str | None = None,
        descending: bool = False,
    ) -> Iterator[bytes]:
        """A table as the bytes of a CSV or Parquet file, piece by piece; write them to a file."""
        query = {**_table_query(level, filters, sort, descending), "format": TableFormat(form).value}
        return self._api.stream(path_of("executions", execution_id, "table", "download"), query)

    def plate_thumbnails(self, plate_id: int, *, field: int | None = None, size: int | None = None) -> ThumbnailSheet:
        """Thumbnails of a field of view of all wells of a plate in one image (OMERO.web only)."""
        return self._get(ThumbnailSheet, path_of("plates", plate_id, "thumbnails"), {"field": field, "size": size})

    def label_thumbnails(
        self,
        execution_id: str,
        *,
        name: str | None = None,
        field: int | None = None,
        size: int | None = None,
        wells: Sequence[str] | None = None,
    ) -> LabelThumbnails:
        """Label images of all done wells, or of ``wells``, as small coloured pictures in one image."""
        query = {"name": name, "field": field, "size": size, "wells": ",".join(wells) if wells is not None else None}
        return self._get(LabelThumbnails, path_of("executions", execution_id, "label-thumbnails"), query)

    def results(self, execution_id: str) -> ExecutionResults:
        """The results so far; measurements are read when asked for."""
        return ExecutionResults(
            execution=self.execution(execution_id),
            _read=lambda level: MeasurementRows(self._measurement_pages(execution_id, level)),
        )

    def _measurement_pages(self, execution_id: str, level: MeasurementLevel) -> Iterator[MeasurementPage]:
        cursor: str | None = None
        while True:
            page = self.measurements(execution_id, level=level, cursor=cursor)
            yield page
            if not page.next_cursor:
                return
            cursor = page.next_cursor

    def quality(
        self, execution_id: str, *, measurement: str | None = None, roles: Mapping[str, WellRole | str] | None = None
    ) -> QualityReport:
        """Z'-factor and other statistics of an execution so far; with ``measurement`` of that one, with its B-scores.

        OMERO.web knows the control wells. The execution service does not: there, ``roles`` (by well) say which they are.
        """
        path = path_of("executions", execution_id, "quality")
        if self._through_web:
            if roles is not None:
                raise OpenHCSError("roles_not_supported", "OMERO.web takes the control wells from OMERO; save them there.")
            return self._get(QualityReport, path, {"measurement": measurement})
        given = {well: WellRole(role).value for well, role in (roles or {}).items()}
        return parse(QualityReport, self._api.post(path, {"roles": given, "measurement": measurement}))

    def report(self, execution_id: str) -> bytes:
        """The report of an execution as one HTML file (OMERO.web only, which has the pictures).

        Raises:
            OpenHCSError: ``report_not_here`` when this client talks to an execution service directly.
        """
        if not self._through_web:
            raise OpenHCSError(
                "report_not_here",
                "Reports are made by OMERO.web, and you are signed in to an execution service. Sign in to OMERO.web for one.",
            )
        return self._api.get(path_of("executions", execution_id, "report")).content

    def controls(self, plate_id: int) -> PlateControls:
        """The control wells of a plate, and who says so (OMERO.web only)."""
        return self._get(PlateControls, path_of("plates", plate_id, "controls"))

    def save_controls(
        self, plate_id: int, wells: Sequence[WellContent] | None = None, *, csv: str | None = None
    ) -> PlateControls:
        """Mark control wells, as wells or as the text of a CSV file; no wells takes your marks away (OMERO.web only)."""
        listed = None if wells is None else [well.model_dump(mode="json") for well in wells]
        body = {"csv": csv} if csv is not None else {"wells": listed or []}
        return parse(PlateControls, self._api.post(path_of("plates", plate_id, "controls"), body))

    def labels(self, execution_id: str, well: str) -> list[LabelInfo]:
        """The label images of a well that is done."""
        body = self._api.get(path_of("executions", execution_id, "wells", well, "labels"))
        return parse(TypeAdapter(list[LabelInfo]), body)

    def well_log(self, execution_id: str, well: str) -> WellLog:
        """What the service and the engine said about a well so far."""
        return self._get(WellLog, path_of("executions", execution_id, "wells", well, "log"))

    def label_image(self, execution_id: str, well: str, field: int, name: str) -> LabelImage:
        """The pixels of a label image, also before it is in OMERO."""
        response = self._api.get(path_of("executions", execution_id, "wells", well, "labels", field, name))
        try:
            height, width = (int(size) for size in response.headers.get("X-Shape", "").split(","))
        except ValueError as error:
            raise OpenHCSError("unexpected_answer", "The label image came without its size.", status=502) from error
        return LabelImage(shape=(height, width), data=response.content)

    def methods(self, execution_id: str) -> Methods:
        """What an ended execution did, as text for the methods section of a paper."""
        return self._get(Methods, path_of("executions", execution_id, "methods"))

    def passport_blocks(self, execution_id: str, *, labels: bool = False) -> Iterator[bytes]:
        """The run passport of an ended execution, a zip file, in blocks. What refuses it is raised by this call."""
        query = {"labels": "true" if labels else None}
        return self._api.stream(path_of("executions", execution_id, "passport"), query, timeout=_PASSPORT_SECONDS)

    def save_passport(self, execution_id: str, path: Path, *, labels: bool = False) -> None:
        """Write the run passport of an ended execution to ``path``, with ``labels`` also its label images.

        Nothing is at ``path`` when the connection breaks off.
        """
        blocks = self.passport_blocks(execution_id, labels=labels)
        draft = path.with_name(f"{path.name}.part")
        try:
            with draft.open("wb") as file:
                file.writelines(blocks)
            draft.replace(path)
        except OSError as error:
            sentence = f"{path} could not be written: {error.strerror or error}."
            raise OpenHCSError("unwritable_file", sentence, status=400) from error
        finally:
            draft.unlink(missing_ok=True)

    def run_passport(self, passport: Passport, plate_id: int | None = None, config: Mapping[str, Any] | None = None) -> str:
        """Run what a passport says, on its own plate or another one that looks the same, and return the execution id.

        ``config`` is as for :meth:`execute_remote`; its ``parameters`` are added to those of the passport.

        Raises:
            OpenHCSError: ``plate_differs`` when the plate has other wells, channels or images, and whatever refuses a run.
        """
        given = dict(config or {})
        shape = passport.inputs.shape()
        settings = {"wells": shape.wells, **given, "expected_plate": shape}
        settings["parameters"] = {**passport.parameters, **given.get("parameters", {})}
        pipeline = self._own_pipeline(passport.document) if self._through_web else passport.document
        return self.execute_remote(plate_id=plate_id or shape.plate_id, pipeline=pipeline, config=settings)

    def _own_pipeline(self, document: PipelineDocument) -> PipelineDocument:
        """The same pipeline here: one that says the same under this id, or a copy that is saved now."""
        try:
            versions = self.pipeline(document.id)
        except OpenHCSError as error:
            if error.status != 404:
                raise
            versions = []
        return next((known for known in versions if known == document), None) or self.import_pipeline(document)

    def health(self) -> ServiceHealth:
        """Is the service well? Needs no sign-in at the service."""
        return self._get(ServiceHealth, "health/" if self._through_web else str(self._api.root.join("/healthz")))

    # In one go

    def execute_remote(
        self,
        *,
        plate_id: int,
        pipeline: str | PipelineDocument | Mapping[str, Any],
        config: Mapping[str, Any] | None = None,
        viewer_port: int | None = None,
    ) -> str:
        """Run a pipeline on a plate and return the execution id at once.

        Args:
            plate_id: OMERO id of the plate.
            pipeline: Id of a pipeline, or a document.
            config: ``wells`` (names; all when absent), ``parameters`` (values of exposed parameters), ``version``,
                ``test_well`` (run this well alone and save nothing to OMERO) and ``saving`` (the fields of
                :class:`SavingOptions`: what is saved in OMERO, where, and under which name).
            viewer_port: Must be ``None``. OpenHCS on a desktop streams to a viewer at this port; here results are looked
                at in OMERO.web.
        """
        if viewer_port is not None:
            raise OpenHCSError(
                "viewer_port_not_supported",
                "Images are not streamed to a viewer on your computer; open the results page in OMERO.web instead.",
            )
        settings = RunSettings.read(config)
        document = None if isinstance(pipeline, str) else read_document(pipeline)
        if self._through_web:
            if document is not None:
                document = self._saved(document)
            return self.submit(settings.submission(plate_id, document or str(pipeline))).execution_id
        if self._omero_session is None:
            raise OpenHCSError("omero_session_needed", "To run a pipeline, make the RemoteOrchestrator with omero_session=…")
        request = settings.submission(plate_id, document or str(pipeline))
        return self.submit(
            ServiceSubmission(**request.model_dump(), omero_session=self._omero_session, document=document)
        ).execution_id

    def wait(
        self,
        execution_id: str,
        progress: bool = True,
        *,
        timeout: float | None = None,
        poll_seconds: float = 1.0,
    ) -> ExecutionStatus:
        """Wait until the execution ends, with a progress bar; stopping the wait does not stop the execution.

        A service that restarts meanwhile is waited for, up to five minutes.

        Raises:
            OpenHCSError: ``wait_timed_out`` after ``timeout`` seconds.
        """
        return wait_for(self, execution_id, progress=progress, timeout=timeout, poll_seconds=poll_seconds)

    def _saved(self, document: PipelineDocument) -> PipelineDocument:
        """The version of a pipeline that says the same as ``document``; saved now when there is none."""
        try:
            versions = self.pipeline(document.id)
        except OpenHCSError as error:
            if error.status != 404:
                raise
            versions = []
        for known in versions:
            if document.model_copy(update={"version": known.version}) == known:
                return known
        return self.save_pipeline(document)

    def _get(self, model: type[Model], path: str, parameters: Mapping[str, Any] | None = None) -> Model:
        return parse(model, self._api.get(path, parameters))


def _query_text(value: Any) -> Any:
    """Booleans as the API writes them."""
    return str(value).lower() if isinstance(value, bool) else value


def _table_query(
    level: MeasurementLevel | str, filters: Sequence[TableFilter], sort: str | None = None, descending: bool = False
) -> dict[str, Any]:
    return {
        "level": MeasurementLevel(level).value,
        "filters": filters_as_text(filters),
        "sort": sort,
        "descending": "true" if descending else None,
    }
