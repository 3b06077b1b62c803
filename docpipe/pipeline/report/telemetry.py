"""A run's events -> spans and metrics of OpenTelemetry, where somebody collects them.

They go to the providers that the program has set up. Where it has none, and the environment names a collector
(`OTEL_EXPORTER_OTLP_ENDPOINT`), to that, by the exporters of the extra `telemetry`. Else nothing is imported.
"""

import logging
import os
import re
import sys
import time
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from docpipe.pipeline.report.reports import Event, RunReport
from docpipe.pipeline.report.safe_text import safe
from docpipe.types import Failure, Outcome, Status

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Span, Tracer

_log = logging.getLogger("docpipe.telemetry")
_COLLECTOR = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
_FLUSH_MS = 3_000
"""So long may a run's end wait for spans to be sent, and again for metrics, unless `OTEL_..._TIMEOUT` is set."""
_TIMEOUT = re.compile(r"OTEL_EXPORTER_OTLP_((TRACES|METRICS)_)?TIMEOUT")
_COUNTED = ("indexed", "updated", "unchanged", "deleted", "failed", "ignored")


class Providers(NamedTuple):
    """What makes spans and what makes metrics."""

    traces: Any
    metrics: Any
    own: bool
    """Set up here, so that a run's end sends what is left."""


def observer(pipeline: str, run_id: str) -> "Observer | None":
    """Who follows a run for OpenTelemetry; None where nobody collects."""
    found = _set_up_elsewhere() or _of_environment()
    if found is None:
        return None
    tracer, meter = found.traces.get_tracer("docpipe"), found.metrics.get_meter("docpipe")
    return Observer(pipeline, run_id, tracer=tracer, meter=meter, own=found if found.own else None)


def _set_up_elsewhere() -> Providers | None:
    """The providers that the program around us has set."""
    if "opentelemetry" not in sys.modules:
        return None
    from opentelemetry import metrics, trace

    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        return None
    return Providers(provider, metrics.get_meter_provider(), own=False)


def _of_environment() -> Providers | None:
    """Providers that send to the collector that the environment names."""
    named = any(os.environ.get(name, "").strip() for name in _COLLECTOR)
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return _exporting() if named and not off else None


@cache
def _exporting() -> Providers | None:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("a collector is named, but nothing is sent: pip install 'docpipe[telemetry]'")
        return None
    resource = Resource.create({} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "docpipe"})
    traces = TracerProvider(resource=resource)
    timeout = None if any(map(_TIMEOUT.fullmatch, os.environ)) else _FLUSH_MS / 1000
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(timeout=timeout))
    return Providers(traces, MeterProvider(resource=resource, metric_readers=[reader]), own=True)


class Observer:
    """Follows one run: a span for it, one below it for each document, each embedding and each commit."""

    def __init__(
        self, pipeline: str, run_id: str, *, tracer: "Tracer", meter: "Meter", own: Providers | None = None
    ) -> None:
        from opentelemetry import trace

        self._about = {"docpipe.pipeline": pipeline}
        self._tracer, self._meter, self._own = tracer, meter, own
        self._run = tracer.start_span("docpipe.run", attributes={**self._about, "docpipe.run_id": run_id})
        self._context = trace.set_span_in_context(self._run)
        self._open: dict[str, Span] = {}
        self._counted: Counter[str] = Counter()
        self._documents = meter.create_counter("docpipe.documents", unit="{document}", description="by their status")

    def __call__(self, event: Event) -> None:
        """Follow one step."""
        if event.kind == "started":
            about = {"docpipe.uri": safe(event.uri)}
            self._open[event.uri] = self._tracer.start_span("docpipe.document", context=self._context, attributes=about)
        elif event.kind == "outcome" and event.outcome is not None:
            self._end_document(event.outcome)
        elif event.kind in ("embedded", "committed") and event.count:
            name = "docpipe.embed" if event.kind == "embedded" else "docpipe.commit"
            self._past(name, event.seconds, {"docpipe.count": event.count})
        elif event.kind == "maintenance":
            self._run.add_event("maintenance")

    def end(self, report: RunReport) -> None:
        """Close the run's span, and count what the run did."""
        for span in self._open.values():
            span.end()
        self._open.clear()
        if report.ended_by is not None:
            _fail(self._run, report.ended_by)
        self._run.set_attributes({f"docpipe.{name}": getattr(report, name) for name in _COUNTED})
        self._run.end()
        self._count(report)
        if self._own is not None:
            self._own.traces.force_flush(_FLUSH_MS)
            self._own.metrics.force_flush(_FLUSH_MS)

    def _end_document(self, outcome: Outcome) -> None:
        span = self._open.pop(outcome.uri, None)
        if span is None:
            return
        self._count_document(str(outcome.status), 1)
        facts = {"pages": outcome.pages, "chunks": outcome.chunks, "seconds": outcome.seconds}
        span.set_attributes({f"docpipe.{name}": value for name, value in facts.items()})
        span.set_attribute("docpipe.status", str(outcome.status))
        if outcome.error is not None and outcome.status == Status.FAILED:
            _fail(span, outcome.error)
        span.end()

    def _past(self, name: str, seconds: float, attributes: dict[str, Any]) -> None:
        """A span of what is over."""
        now = time.time_ns()
        start = now - round(seconds * 1e9)
        self._tracer.start_span(name, context=self._context, attributes=attributes, start_time=start).end(now)

    def _count_document(self, status: str, count: int) -> None:
        self._counted[status] += count
        self._documents.add(count, {**self._about, "status": status})

    def _count(self, report: RunReport) -> None:
        for status in _COUNTED:
            if (missing := getattr(report, status) - self._counted[status]) > 0:
                self._count_document(status, missing)
        meter, about = self._meter, self._about
        result = "failing" if report.failing else "stopped" if report.stopped else "ok"
        meter.create_counter("docpipe.runs", unit="{run}").add(1, {**about, "result": result})
        sums = {"pages": "{page}", "chunks": "{chunk}", "embedded": "{text}", "tokens": "{token}", "requests": "{call}"}
        for name, unit in sums.items():
            meter.create_counter(f"docpipe.{name}", unit=unit).add(getattr(report, name), about)
        meter.create_counter("docpipe.cost", unit="USD").add(report.cost_usd, about)
        spent = meter.create_counter("docpipe.stage.time", unit="s", description="CPU seconds by stage")
        for stage, seconds in report.stage_seconds.items():
            spent.add(seconds, {**about, "stage": stage})
        meter.create_histogram("docpipe.run.duration", unit="s").record(report.seconds, about)
        for name, unit in {"documents": "{document}", "chunks": "{chunk}", "bytes": "By"}.items():
            meter.create_gauge(f"docpipe.index.{name}", unit=unit).set(getattr(report.holds, name), about)


def _fail(span: "Span", error: Failure) -> None:
    from opentelemetry.trace import Status as SpanStatus
    from opentelemetry.trace import StatusCode

    span.set_attributes({"error.type": error.type, "docpipe.stage": error.stage})
    span.set_status(SpanStatus(StatusCode.ERROR, safe(error.message)))
