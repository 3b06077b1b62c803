"""Log records of the logger `docpipe` -> lines of text or JSON that name the run and the document they are about."""

import contextlib
import contextvars
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from docpipe.errors import ConfigError
from docpipe.pipeline.report.reports import Event
from docpipe.pipeline.report.safe_text import one_line, safe
from docpipe.types import Outcome, Status

Form = Literal["text", "json"]

ROOT = "docpipe"
_log = logging.getLogger("docpipe.run")
_run_id: contextvars.ContextVar[str] = contextvars.ContextVar("docpipe_run_id", default="")
_active: list[str] = []
"""Runs of this process: threads that know no run of their own belong to the only one, if there is one only."""
_guard = threading.Lock()
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "run_id", "document", "taskName"}
"""Attributes of a record that are not facts of the message."""


class RunContext(logging.Filter):
    """Gives every record `run_id` and `document`, empty where there is none. For handlers of your own, too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never leaves a record out."""
        record.run_id = getattr(record, "run_id", "") or current_run()
        record.document = getattr(record, "document", "")
        return True


@contextlib.contextmanager
def about_run(run_id: str) -> Iterator[None]:
    """Records that are made in here, in whatever thread, belong to this run."""
    token = _run_id.set(run_id)
    with _guard:
        _active.append(run_id)
    try:
        yield
    finally:
        with _guard:
            _active.remove(run_id)
        _run_id.reset(token)


def current_run() -> str:
    """The run that this thread works for; empty where there is none, or no telling which."""
    if own := _run_id.get():
        return own
    with _guard:
        return _active[0] if len(set(_active)) == 1 else ""


@contextlib.contextmanager
def written_to(place: str, form: Form = "text") -> Iterator[None]:
    """Write docpipe's log from INFO up to a file, which is opened anew when it was moved away, or to standard error.

    Args:
        place: a file's path, `-` for standard error; empty: nothing is written.

    Raises:
        ConfigError: the file cannot be written.
    """
    if not place:
        yield
        return
    handler, logger = _handler(place), logging.getLogger(ROOT)
    handler.addFilter(RunContext())
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    before = logger.level
    logger.setLevel(min(before or logging.INFO, logging.INFO))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        with contextlib.suppress(OSError):  # a full disk, which was told when it began
            handler.close()


def tell(event: Event) -> None:
    """Log one step of a run, if it is one to know of: a document that was written or failed, or a new phase."""
    if event.kind == "outcome" and event.outcome is not None:
        _tell_outcome(event.outcome, event)
    elif event.kind == "found":
        _log.info("%d documents to work on", event.total)
    elif event.kind == "maintenance":
        _log.info("looking after the index")


def _tell_outcome(outcome: Outcome, event: Event) -> None:
    if outcome.status == Status.UNCHANGED:
        return
    facts = {"document": outcome.uri, "status": str(outcome.status), "seconds": round(outcome.seconds, 3)}
    if outcome.error is not None:
        level = logging.WARNING if outcome.status == Status.FAILED else logging.INFO
        facts |= {"stage": outcome.error.stage, "error": outcome.error.type, "remedy": outcome.error.remedy}
        _log.log(level, "%s: %s: %s", outcome.status, outcome.error.type, outcome.error.message, extra=facts)
        return
    more = {"pages": outcome.pages, "chunks": outcome.chunks, "done": event.count, "of": event.total}
    _log.info("%s: %d pages, %d chunks", outcome.status, outcome.pages, outcome.chunks, extra=facts | more)


class JsonLines(logging.Formatter):
    """A record -> one line with one JSON object: `time`, `level`, `logger`, `message`, `run_id`, `document`, facts."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        form: dict[str, Any] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "run_id": getattr(record, "run_id", ""),
            "document": getattr(record, "document", ""),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            form["exception"] = self.formatException(record.exc_info)
        return json.dumps(form, default=str)


class TextLines(logging.Formatter):
    """A record -> one line of text: time, level, logger, run, document, message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end; a traceback follows on lines of its own."""
        about = [
            getattr(record, "run_id", "") or "-",
            f"[{one_line(document)}]" if (document := _document(record)) else "",
        ]
        head = " ".join(part for part in (_moment(record.created), record.levelname, record.name, *about) if part)
        line = f"{head} {one_line(record.getMessage())}"
        return f"{line}\n{safe(self.formatException(record.exc_info))}" if record.exc_info else line


def _document(record: logging.LogRecord) -> str:
    return str(getattr(record, "document", ""))


def _moment(seconds: float) -> str:
    whole, part = divmod(seconds, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(part * 1000):03d}Z"


def _handler(place: str) -> logging.Handler:
    if place == "-":
        return _stream()
    try:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        return _file(place)
    except OSError as error:
        reason = f"the log cannot be written: {error.strerror or error}"
        raise ConfigError(reason, where=f"--log {place}", remedy="choose another file, or `-`") from error


def _stream() -> logging.Handler:
    class Stream(logging.StreamHandler[Any]):
        handleError = _given_up  # noqa: N815 - the name that logging calls

    return Stream(sys.stderr)


def _file(place: str) -> logging.Handler:
    from logging.handlers import WatchedFileHandler

    class File(WatchedFileHandler):
        handleError = _given_up  # noqa: N815 - the name that logging calls

    return File(place, encoding="utf-8", errors="backslashreplace")


def _given_up(handler: logging.Handler, record: logging.LogRecord) -> None:
    """A full disk or a reader who has gone away is no reason to end a run: said once, then this log is silent."""
    handler.setLevel(logging.CRITICAL + 1)
    reason = sys.exc_info()[1]
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"docpipe: the log cannot be written any more: {getattr(reason, 'strerror', reason)}\n")
