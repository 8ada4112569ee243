# SPDX-License-Identifier: AGPL-3.0-or-later
"""The service's own registry of metrics, and what adds to it as things happen."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.registry import Collector

from openhcs_execution.omero_io.failures_counted import OMERO_ERRORS
from openhcs_execution.version import VERSION, installed_version

__all__ = ["Meters"]

_WAITING_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
_WELL_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Meters:
    """One registry per service, so that several of them in a process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        registry = self.registry
        versions = Info("openhcs_build", "Versions of the service and of OpenHCS.", registry=registry)
        versions.info({"version": VERSION, "openhcs": installed_version("openhcs")})
        self.events = Counter("openhcs_events", "Events written to the log, by kind.", ["kind"], registry=registry)
        self.executions_ended = Counter(
            "openhcs_executions_ended", "Executions that ended, by their status then.", ["status"], registry=registry
        )
        self.waited = Histogram(
            "openhcs_execution_wait_seconds",
            "Time from the submission of an execution until its first well was given out.",
            ["priority_class", "kind"],
            buckets=_WAITING_SECONDS,
            registry=registry,
        )
        self.wells_committed = Counter(
            "openhcs_wells_committed", "Wells whose results were committed, once each.", ["kind"], registry=registry
        )
        self.wells_failed = Counter(
            "openhcs_wells_failed", "Wells that failed for good, by class of failure.", ["failure_class"], registry=registry
        )
        self.wells_again = Counter(
            "openhcs_wells_put_back", "Attempts that ended without an outcome, so that the well waits again.", registry=registry
        )
        self.well_seconds = Histogram(
            "openhcs_well_seconds",
            "What a committed well took on its worker.",
            ["kind"],
            buckets=_WELL_SECONDS,
            registry=registry,
        )
        self.step_seconds = Histogram(
            "openhcs_step_seconds",
            "What the steps of committed wells took, by function of the catalogue; the last step includes collecting results.",
            ["function"],
            buckets=_WELL_SECONDS,
            registry=registry,
        )
        self.request_seconds = Histogram(
            "openhcs_http_request_seconds",
            "Time to answer a request, by template of its address.",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self.requests = Counter("openhcs_http_requests", "Answered requests.", ["method", "route", "status"], registry=registry)
        self.notified = Counter(
            "openhcs_notifications",
            "Attempts to deliver a mail or to call a webhook, by what became of them.",
            ["channel", "outcome"],
            registry=registry,
        )
        registry.register(OMERO_ERRORS)

    def register(self, collector: Collector) -> None:
        """Add what is read at each scrape."""
        self.registry.register(collector)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; ``route`` is the template of its address, never the address itself."""
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, str(status)).inc()
        self.request_seconds.labels(known, route).observe(seconds)

    def note_notification(self, channel: str, outcome: str) -> None:
        """Somebody was told of the end of a run, or could not be."""
        self.notified.labels(channel, outcome).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
