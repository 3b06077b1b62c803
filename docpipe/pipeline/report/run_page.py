"""A run's report, and those of earlier runs -> one HTML page that needs nothing else (pure)."""

import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from docpipe.pipeline.report.account_tables import account_tables
from docpipe.pipeline.report.line_plot import Point, line_plot
from docpipe.pipeline.report.page_style import STYLE
from docpipe.pipeline.report.reports import RunReport
from docpipe.pipeline.report.safe_text import safe
from docpipe.types import Outcome

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script and nothing from the network, whatever a file is called."""
_LISTED = 200
"""Items of a list that are shown; the rest is counted."""
_COUNTS = ("indexed", "updated", "unchanged", "deleted", "failed", "ignored", "renamed", "stale", "waiting")


def text(value: object) -> str:
    """Text of whatever origin for HTML: escaped, without what turns letters round."""
    return escape(safe(str(value)))


def page(report: RunReport, earlier: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page of a run.

    Args:
        earlier: the JSON forms of earlier runs, oldest first; of damaged ones the plots show nothing.
    """
    title = f"{report.pipeline}: run {report.run_id}"
    parts = [
        _headline(report),
        _tiles(report),
        _failures(report),
        _list("Accounted for nowhere", report.account.gaps),
        _golden(report.staged),
        _section("The account", account_tables(report)),
        _growth(report, earlier),
        _timings(report),
        _slowest(report.slowest),
        _list("Upkeep of the index", report.upkeep),
        _list("Remarks", report.remarks),
        _left_out(report.left_out),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{text(title)}</title><style>{STYLE}</style></head><body><main>'
        + "\n".join(part for part in parts if part)
        + "</main></body></html>\n"
    )


def state(report: RunReport) -> str:
    """`failed`, `stopped` or `ok`: how a run ended, in a word."""
    return "failed" if report.failing else "stopped" if report.stopped else "ok"


def _headline(report: RunReport) -> str:
    word = state(report)
    facts = [report.run_id, _moment(report.started), f"{report.seconds:,.1f} s", f"index version {report.version}"]
    said = [
        f"Stopped early: {report.stopped}. The next run goes on." if report.stopped else "",
        "" if report.published else "Not published: readers still see the version before.",
    ]
    notes = "".join(f"<p>{text(one)}</p>" for one in said if one)
    return (
        f'<header><h1>{text(report.pipeline)} <span class="badge {word}">{word}</span></h1>'
        f'<p class="quiet">{" · ".join(text(fact) for fact in facts if fact)}</p>{notes}{_ended(report)}</header>'
    )


def _ended(report: RunReport) -> str:
    error = report.ended_by
    if error is None:
        return ""
    remedy = f"<br>{text(error.remedy)}" if error.remedy else ""
    return f'<p class="wrong"><b>{text(error.type)}</b> {text(error.message)}{remedy}</p>'


def _tiles(report: RunReport) -> str:
    counts = {name: f"{getattr(report, name):,}" for name in _COUNTS if getattr(report, name) or name == "failed"}
    work = {"chunks written": f"{report.chunks:,}", "embedded": f"{report.embedded:,}", "reused": f"{report.reused:,}"}
    cost = {"USD": f"{report.cost_usd:,.4f}", "calls": f"{report.requests:,}", "tokens": f"{report.tokens:,}"}
    read = {"pages read by a service": f"{report.recognised:,}", "known from before": f"{report.remembered:,}"}
    shown = counts | {"pages parsed": f"{report.pages:,}"} | work | (cost if report.requests else {})
    shown |= read if report.recognised or report.remembered else {}
    bad = {name for name in ("failed", "stale") if getattr(report, name)}
    tiles = (
        f"<div{' class=bad' if name in bad else ''}><b>{value}</b>{text(name)}</div>" for name, value in shown.items()
    )
    return f'<section class="tiles">{"".join(tiles)}</section>'


def _failures(report: RunReport) -> str:
    items = report.failures
    rows = (
        (item.uri, error.stage, f"{error.type}: {error.message}", error.remedy)
        for item in items[:_LISTED]
        if (error := item.error) is not None
    )
    note = f"Still searchable as they were before: {report.stale:,}." if report.stale else ""
    return _section("Failed", note and f"<p>{note}</p>", _table(("document", "stage", "error", "remedy"), rows, items))


def _timings(report: RunReport) -> str:
    """One bar per stage, as long as its share of the longest."""
    spent = {stage: seconds for stage, seconds in report.stage_seconds.items() if seconds > 0}
    longest = max(spent.values(), default=0.0)
    bars = (
        f'<tr><th>{text(stage)}</th><td class="bar"><i style="width:{100 * seconds / longest:.1f}%"></i></td>'
        f"<td>{seconds:,.2f} s</td></tr>"
        for stage, seconds in spent.items()
    )
    return _section("Time by stage", f'<table class="bars">{"".join(bars)}</table>' if spent else "")


def _slowest(items: Sequence[Outcome]) -> str:
    rows = ((item.uri, item.status, f"{item.pages:,}", f"{item.chunks:,}", f"{item.seconds:,.2f}") for item in items)
    return _section("Slowest documents", _table(("document", "", "pages", "chunks", "seconds"), rows, items))


def _growth(report: RunReport, earlier: Sequence[Mapping[str, Any]]) -> str:
    now = {
        "holds": {name: getattr(report.holds, name) for name in ("documents", "chunks", "bytes")},
        "run_id": report.run_id,
        "seconds": report.seconds,
        "cost_usd": report.cost_usd,
        "ended_by": report.ended_by,
    }
    runs = [*earlier, {**now, "failing": report.failing}]
    plots = [
        _plot("documents", runs, "documents", unit=""),
        _plot("chunks", runs, "chunks", unit=""),
        _plot("size", runs, "bytes", unit=" MB", scale=1e-6, digits=1),
        _plot("seconds per run", runs, "seconds", unit=" s", digits=1),
        _plot("cost per run", runs, "cost_usd", unit=" USD", digits=4),
    ]
    note = f'<p class="quiet">the last {len(runs)} runs</p>' if len(runs) > 1 else ""
    return _section("Growth", note + f'<div class="plots">{"".join(plots)}</div>')


def _plot(
    title: str, runs: Sequence[Mapping[str, Any]], name: str, *, unit: str, scale: float = 1, digits: int = 0
) -> str:
    points = [
        Point(safe(str(run.get("run_id", ""))), value * scale, bool(run.get("failing")))
        for run in runs
        if (value := _figure(run, name)) is not None
    ]
    return line_plot(title, points, shown=lambda value: f"{value:,.{digits}f}{unit}") if points else ""


def _figure(run: Mapping[str, Any], name: str) -> float | None:
    """A figure of a run's form, if it is one; the index's own are in `holds`, and unknown where a run was ended."""
    holds = None if run.get("ended_by") else run.get("holds")
    value = (
        run.get(name) if name in ("seconds", "cost_usd") else holds.get(name) if isinstance(holds, Mapping) else None
    )
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18
    return float(value) if known and value is not None else None


def _golden(staged: Mapping[str, Any]) -> str:
    """What the golden questions say: metrics, why a version is not published, each question with its place's rank."""
    metrics = [f"{name} {value:.3f}" for name, value in staged.items() if isinstance(value, float)]
    head = f"<p>{text(', '.join(metrics))}</p>" if metrics else ""
    reasons = "".join(f"<li>{text(one)}</li>" for one in staged.get("reasons") or staged.get("below") or ())
    worse = [(one.get("question", ""), _rank(one, "before"), _rank(one, "after")) for one in _forms(staged, "worse")]
    asked = [(one.get("question", ""), _rank(one, "rank")) for one in _forms(staged, "questions")]
    return _section(
        "Golden questions",
        head,
        f'<ul class="bad">{reasons}</ul>' if reasons else "",
        _table(("got worse", "rank before", "rank now"), worse[:_LISTED], worse),
        _table(("question", "rank of its place"), asked[:_LISTED], asked),
    )


def _forms(staged: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = staged.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, (list, tuple)) else []


def _rank(form: Mapping[str, Any], name: str) -> str:
    return str(form.get(name) or "not found")


def _left_out(items: Sequence[Outcome]) -> str:
    reasons: dict[str, list[str]] = {}
    for item in items:
        reasons.setdefault(item.error.message if item.error else "", []).append(item.uri)
    rows = ((reason, f"{len(uris):,}", ", ".join(uris[:5])) for reason, uris in list(reasons.items())[:_LISTED])
    return _section("Left out, by reason", _table(("reason", "files", "such as"), rows, reasons))


def _list(title: str, items: Sequence[str]) -> str:
    lines = "".join(f"<li>{text(item)}</li>" for item in items[:_LISTED])
    return _section(title, f"<ul>{lines}</ul>{_more(len(items))}" if items else "")


def _section(title: str, *parts: str) -> str:
    """Nothing where there is nothing to say."""
    body = "".join(parts)
    return f"<section><h2>{text(title)}</h2>{body}</section>" if body else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], items: Sequence[Any] | Mapping[str, Any]) -> str:
    lines = "".join(f"<tr>{''.join(f'<td><bdi>{text(cell)}</bdi></td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{text(name)}</th>" for name in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{lines}</table></div>{_more(len(items))}' if lines else ""


def _more(count: int) -> str:
    return f'<p class="quiet">... and {count - _LISTED:,} more</p>' if count > _LISTED else ""


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if 0 < seconds < 2**38 else ""
