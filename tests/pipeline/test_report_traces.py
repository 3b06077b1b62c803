"""What a run leaves behind while it goes and when it ends: log lines, spans and metrics, a word to a webhook."""

import contextlib
import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from docpipe.errors import ConfigError, RunLocked, SourceError
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.report import logs, telemetry, webhook
from docpipe.pipeline.report.reports import Event, Holds, RunReport
from docpipe.pipeline.report.traces import Traces, reports_folder
from docpipe.protocols import Index
from docpipe.types import Failure, Outcome, Status

RUN_ID = "20261121T021500-7f3a"
SECRET = "T0KEN-of-the-owner"


@dataclass
class Pipeline:
    run: RunOptions = field(default_factory=RunOptions)
    index: Index = field(default_factory=MemoryIndex)
    name: str = "handbook"


@dataclass(frozen=True, kw_only=True)
class InFolder(MemoryIndex):
    uri: str = ""


def outcome(uri: str, status: Status = Status.INDEXED, message: str = "") -> Outcome:
    error = Failure(stage="parse", type="CorruptSource", message=message, remedy="copy it again") if message else None
    return Outcome(uri=uri, status=status, pages=3, chunks=7, seconds=0.5, error=error)


def ended(one: Outcome) -> Event:
    return Event(kind="outcome", uri=one.uri, count=1, total=2, outcome=one)


def a_report(**more: Any) -> RunReport:
    return RunReport(pipeline="handbook", run_id=RUN_ID, **more)


FAILING = a_report(
    indexed=1, failed=1, failures=(outcome("bad.pdf", Status.FAILED, "cut short"),), holds=Holds(documents=1)
)


# --- logs


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_json_line_names_its_run_and_its_document(tmp_path: Path) -> None:
    with logs.written_to(str(tmp_path / "logs" / "docpipe.log"), "json"), Traces(Pipeline(), run_id=RUN_ID) as traces:
        traces(ended(outcome("a.md")))
        traces(ended(outcome("b.md", Status.FAILED, "cut short")))
        traces.leave(FAILING)
    lines = lines_of(tmp_path / "logs" / "docpipe.log")
    assert {line["run_id"] for line in lines} == {RUN_ID}
    assert [line["document"] for line in lines if line["document"]] == ["a.md", "b.md"]
    good, bad = (line for line in lines if line["document"])
    assert (good["level"], good["status"], good["chunks"], good["seconds"]) == ("info", "indexed", 7, 0.5)
    assert (bad["level"], bad["error"], bad["remedy"]) == ("warning", "CorruptSource", "copy it again")
    assert lines[-1]["message"] == "ended: 1 indexed, 1 failed" and lines[-1]["level"] == "warning"


def test_lines_of_other_threads_name_the_only_run(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with logs.written_to(str(file), "json"):
        with logs.about_run("one"):
            speak()
            with logs.about_run("two"):
                speak()
        speak()
    assert [line["run_id"] for line in lines_of(file)] == ["one", "", ""]


def speak() -> None:
    thread = threading.Thread(target=lambda: logging.getLogger("docpipe.http").info("hello"))
    thread.start()
    thread.join()


def test_a_name_cannot_make_lines_of_its_own_or_move_the_cursor(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with logs.written_to(str(file)), Traces(Pipeline(), run_id=RUN_ID) as traces:
        traces(ended(outcome("a\n2026 ERROR forged\x1b[2J\u202e.md", Status.FAILED, "first\nsecond\ud800")))
    begins, line = file.read_text("utf-8").splitlines()
    assert begins.endswith("a run of handbook begins")
    assert r"[a\n2026 ERROR forged\x1b[2J\u202e.md] failed: CorruptSource: first\nsecond\ud800" in line
    assert re.match(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z WARNING docpipe.run {RUN_ID} \[", line)


def test_a_log_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with logs.written_to(str(file)):
        logging.getLogger("docpipe.run").info("before")
        file.rename(tmp_path / "log.1")
        logging.getLogger("docpipe.run").info("after")
    assert "after" in file.read_text() and "before" in (tmp_path / "log.1").read_text()


def test_a_full_disk_ends_the_log_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    with logs.written_to("/dev/full"):
        for number in range(3):
            logging.getLogger("docpipe.run").info("line %d", number)
    assert capsys.readouterr().err == "docpipe: the log cannot be written any more: No space left on device\n"


def test_a_log_that_cannot_be_opened_is_an_error_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the log cannot be written: Is a directory"), logs.written_to(str(tmp_path)):
        pass


def test_the_logger_is_left_as_it_was(tmp_path: Path) -> None:
    logger = logging.getLogger("docpipe")
    before = (logger.level, list(logger.handlers))
    with logs.written_to(str(tmp_path / "log")):
        assert logger.isEnabledFor(logging.INFO)
    assert (logger.level, list(logger.handlers)) == before


# --- telemetry


@dataclass
class Collected:
    observer: telemetry.Observer
    spans: Any
    reader: Any

    def sums(self) -> dict[tuple[str, str], float]:
        found = {}
        for resource in self.reader.get_metrics_data().resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        about = dict(point.attributes)
                        key = about.get("status") or about.get("stage") or about.get("result") or ""
                        found[metric.name, key] = getattr(point, "value", None) or getattr(point, "sum", 0)
        return found


@pytest.fixture
def collected() -> Iterator[Collected]:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader, traces = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(spans))
    metrics = MeterProvider(metric_readers=[reader])
    made = telemetry.Observer("handbook", RUN_ID, tracer=traces.get_tracer("t"), meter=metrics.get_meter("t"))
    yield Collected(made, spans, reader)
    metrics.shutdown()


def test_a_run_is_a_span_with_one_below_it_for_each_document(collected: Collected) -> None:
    follow = collected.observer
    for uri in ("a.md", "bad.pdf", "never-ended.md"):
        follow(Event(kind="started", uri=uri))
    follow(ended(outcome("a.md")))
    follow(ended(outcome("bad.pdf", Status.FAILED, "cut short")))
    follow(Event(kind="embedded", count=7, seconds=2.0))
    follow(Event(kind="committed", count=1, seconds=0.5))
    follow.end(FAILING)
    spans = {
        span.name + str(span.attributes.get("docpipe.uri", "")): span for span in collected.spans.get_finished_spans()
    }
    run = spans.pop("docpipe.run")
    assert dict(run.attributes)["docpipe.run_id"] == RUN_ID and run.attributes["docpipe.failed"] == 1
    assert {span.parent.span_id for span in spans.values()} == {run.context.span_id}
    assert set(spans) == {
        "docpipe.documenta.md", "docpipe.documentbad.pdf", "docpipe.documentnever-ended.md", "docpipe.embed",
        "docpipe.commit",
    }  # fmt: skip
    assert spans["docpipe.documenta.md"].attributes["docpipe.chunks"] == 7
    bad = spans["docpipe.documentbad.pdf"]
    assert (bad.status.status_code.name, bad.status.description) == ("ERROR", "cut short")
    embed = spans["docpipe.embed"]
    assert (embed.end_time - embed.start_time) / 1e9 == pytest.approx(2.0)


def test_documents_pages_tokens_and_money_are_counted(collected: Collected) -> None:
    follow = collected.observer
    follow(Event(kind="started", uri="a.md"))
    follow(ended(outcome("a.md")))
    report = a_report(indexed=1, unchanged=9, pages=3, chunks=7, tokens=500, cost_usd=0.25, seconds=4.0)
    follow.end(RunReport(**{**vars_of(report), "stage_seconds": {"parse": 1.5}, "holds": Holds(documents=10)}))
    sums = collected.sums()
    assert sums["docpipe.documents", "indexed"] == 1 and sums["docpipe.documents", "unchanged"] == 9
    assert sums["docpipe.pages", ""] == 3 and sums["docpipe.tokens", ""] == 500 and sums["docpipe.cost", ""] == 0.25
    assert sums["docpipe.stage.time", "parse"] == 1.5 and sums["docpipe.runs", "ok"] == 1
    assert sums["docpipe.run.duration", ""] == 4.0 and sums["docpipe.index.documents", ""] == 10


def vars_of(report: RunReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__dataclass_fields__}


def test_nobody_follows_where_nobody_collects(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert telemetry.observer("handbook", RUN_ID) is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert telemetry.observer("handbook", RUN_ID) is None


def test_what_the_environment_names_is_sent_to(collector: list[str]) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    telemetry._exporting.cache_clear()
    with Traces(Pipeline(), run_id=RUN_ID) as traces:
        traces(Event(kind="started", uri="a.md"))
        traces(ended(outcome("a.md")))
        traces.leave(a_report(indexed=1))
    assert sorted(collector) == ["/v1/metrics", "/v1/traces"]
    made = telemetry._exporting()
    assert made is not None
    made.traces.shutdown()
    made.metrics.shutdown()
    telemetry._exporting.cache_clear()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Paths that were asked of a collector of OpenTelemetry that the environment names."""
    asked: list[str] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Ear) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        yield asked


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of this process; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- webhook


@dataclass
class Listener:
    """An address that answers each call as it is told; the last answer again and again."""

    answers: list[int]
    told: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener([200])

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            status = heard.answers.pop(0) if len(heard.answers) > 1 else heard.answers[0]
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with serving(Ear) as address:
        heard.url = f"{address}/hook/{SECRET}?sig={SECRET}"
        yield heard


def test_a_run_in_which_something_failed_is_told(listener: Listener) -> None:
    with Traces(Pipeline(run=RunOptions(webhook=listener.url)), run_id=RUN_ID) as traces:
        report = traces.leave(FAILING)
    assert report.remarks == ()
    (told,) = listener.told
    assert told["text"] == f"docpipe handbook, run {RUN_ID}: documents failed: 1"
    assert (told["pipeline"], told["run_id"], told["failed"], told["error"]) == ("handbook", RUN_ID, 1, None)
    assert told["failures"][0]["uri"] == "bad.pdf" and told["failures"][0]["remedy"] == "copy it again"


def test_a_good_run_is_not_told(listener: Listener) -> None:
    with Traces(Pipeline(run=RunOptions(webhook=listener.url)), run_id=RUN_ID) as traces:
        traces.leave(a_report(indexed=3, stopped="SIGTERM"))
    assert listener.told == []


def test_a_run_that_raised_is_told_and_has_a_report(listener: Listener, tmp_path: Path) -> None:
    stages = Pipeline(run=RunOptions(webhook=listener.url, reports=str(tmp_path)))
    with pytest.raises(SourceError), Traces(stages, run_id=RUN_ID):
        raise SourceError("most of it is gone", source="/mnt/share", remedy="mount it")
    (told,) = listener.told
    assert told["error"]["type"] == "SourceError" and told["error"]["remedy"] == "mount it"
    assert told["report"] == str(tmp_path / f"{RUN_ID}.html")
    form = json.loads((tmp_path / f"{RUN_ID}.json").read_text())
    assert form["failing"] and form["ended_by"]["error"] == "most of it is gone"
    assert "most of it is gone" in (tmp_path / "latest.html").read_text()


def test_only_twenty_failures_are_told(listener: Listener) -> None:
    many = tuple(outcome(f"{number}.pdf", Status.FAILED, "cut") for number in range(50))
    told = webhook.message(a_report(failed=50, failures=many))
    assert len(told["failures"]) == 20 and told["failed"] == 50
    assert webhook.tell(listener.url, told) == ""


@pytest.mark.parametrize(
    ("answers", "fault", "calls"),
    [
        pytest.param([500, 503, 200], "", 3, id="it answers the third time"),
        pytest.param([500], "it answered 500", 3, id="it never does"),
        pytest.param([429, 204], "", 2, id="it was busy"),
        pytest.param([404], "it answered 404", 1, id="wrong address"),
        pytest.param([302], "it answered 302", 1, id="redirects are not followed"),
    ],
)
def test_it_is_tried_again_where_that_may_help(listener: Listener, answers: list[int], fault: str, calls: int) -> None:
    listener.answers[:] = answers
    said = webhook.tell(listener.url, {"text": "x"}, wait=0.01)
    assert said == (f"the webhook at 127.0.0.1 was not told: {fault}" if fault else "")
    assert len(listener.told) == calls


def test_a_webhook_that_is_silent_is_given_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        assert "no answer in 0.1 s" in webhook.tell(url, {}, seconds=0.1, wait=0.01)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "http://[::1/", "http://exa mple/", "http://", "http://:x/"]
)
def test_its_secret_is_nowhere_whatever_goes_wrong(address: str, caplog: pytest.LogCaptureFixture) -> None:
    address += SECRET
    remark = webhook.tell(address, webhook.message(FAILING), wait=0.01)
    assert "was not told" in remark
    assert SECRET not in remark + caplog.text + repr(RunOptions(webhook=address))


def test_a_webhook_that_cannot_be_told_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TRIES", 1)
    with Traces(Pipeline(run=RunOptions(webhook=f"http://127.0.0.1:1/{SECRET}")), run_id=RUN_ID) as traces:
        (remark,) = traces.leave(FAILING).remarks
    assert remark.startswith("the webhook at 127.0.0.1 was not told: no connection")


def test_an_address_without_http_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="webhook must begin with https://") as raised:
        RunOptions(webhook=f"ftp://{SECRET}")
    assert SECRET not in str(raised.value)


# --- all of it


def test_a_run_that_was_not_begun_leaves_nothing(listener: Listener, tmp_path: Path) -> None:
    stages = Pipeline(run=RunOptions(webhook=listener.url, reports=str(tmp_path)))
    with pytest.raises(RunLocked), Traces(stages, run_id=RUN_ID):
        raise RunLocked(index="x", holder="somebody")
    with pytest.raises(KeyboardInterrupt), Traces(stages, run_id=RUN_ID):
        raise KeyboardInterrupt
    assert listener.told == [] and list(tmp_path.iterdir()) == []


def test_each_step_is_passed_on_to_who_asked(tmp_path: Path) -> None:
    seen: list[Event] = []
    step = Event(kind="found", total=3)
    with Traces(Pipeline(), run_id=RUN_ID, progress=seen.append) as traces:
        traces(step)
    assert seen == [step]


def test_reports_lie_beside_the_index_unless_a_folder_is_named(tmp_path: Path) -> None:
    folder = InFolder(uri=str(tmp_path / "index"))
    assert reports_folder(RunOptions(), folder) == tmp_path / "index" / "runs"
    assert reports_folder(RunOptions(reports=str(tmp_path / "r")), folder) == tmp_path / "r"
    assert reports_folder(RunOptions(), MemoryIndex()) is None
    with Traces(Pipeline(index=folder), run_id=RUN_ID) as traces:
        report = traces.leave(a_report())
    assert report.page == str(tmp_path / "index" / "runs" / f"{RUN_ID}.html") and Path(report.page).exists()


def test_an_index_in_a_bucket_has_no_reports_unless_a_folder_is_named() -> None:
    with Traces(Pipeline(index=InFolder(uri="s3://bucket/index")), run_id=RUN_ID) as traces:
        report = traces.leave(a_report())
    assert report.page == ""
    assert report.remarks == ("no report is written, for the index is no folder of this machine: set `run.reports`",)
