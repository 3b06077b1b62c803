"""Accounts, quarantine and past runs in words, and an index's standing put together from its tables."""

from typing import Any

import pytest

from docpipe import console
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.report import json_forms, logs
from docpipe.pipeline.report.account_lines import account_text, coverage, runs_text, standing_lines
from docpipe.pipeline.report.reports import Account, Event, RunReport, StatusReport, Sums
from docpipe.pipeline.report.standing import standing
from docpipe.protocols import IndexStats
from docpipe.types import Outcome, Status

EMPTY = IndexStats(rows=0, documents=0, version=7, bytes=0, text_rows=0, vector_index="", vector_recall=1.0)


def a_status(**more: Any) -> StatusReport:
    return StatusReport(name="p", index="/i", version=7, documents=0, chunks=0, failed=0, stats=EMPTY, **more)


def test_a_closed_account_is_one_line() -> None:
    closed = Account(files=Sums(found=3, indexed=3), characters=1000, covered=960, left_out={"footer": 40})
    assert account_text(closed) == (
        "account closed: 3 files found; 1,000 characters of text, 96.0% in chunks; left out on purpose: 40 footer\n"
    )
    assert account_text(Account()) == ""


def test_an_open_account_names_each_gap() -> None:
    gaps = ("a.md: 12 characters", "b\x1b[2J\n.md")
    text = account_text(Account(files=Sums(found=3, indexed=2), characters=10, covered=7, gaps=gaps))
    assert text.splitlines() == [
        "the account is not closed: 1 files and 0 pages are missing; 3 files found; "
        "10 characters of text, 70.0% in chunks; 3 in no chunk",
        "  a.md: 12 characters",
        r"  b\x1b[2J\n.md",
    ]
    many = account_text(Account(gaps=tuple(f"{number}.md" for number in range(70))))
    assert "... and 20 more (--json gives all)" in many


def test_nothing_is_said_of_text_that_was_not_counted() -> None:
    assert coverage(0, 0, {}) == ""


def test_a_status_tells_what_is_stale_waits_or_is_held() -> None:
    lines = standing_lines(
        a_status(stale=2, waiting=1, next_try=1.1e9, published=5, lease="host a, pid 4", gaps=("x",))
    )
    assert lines["quarantine"].startswith("2 of them stale: an older version is searchable; 1 tried again")
    assert "2004-11-09 11:33:20 UTC" in lines["quarantine"]
    assert lines["published"] == "5; a newer one waits (docpipe run --stage)"
    assert (lines["at work"], lines["gaps"]) == ("host a, pid 4", "x")
    assert standing_lines(a_status(published=7)) == {}


def test_past_runs_have_a_line_each() -> None:
    runs = [
        {"run_id": "r4", "finished": False, "started": 1.1e9},
        {"run_id": "r3", "finished": True, "failing": True, "failed": 2, "indexed": 1, "seconds": 3.0, "cost_usd": 0.5},
        {"run_id": "r2", "finished": True, "stopped": "SIGTERM\x1b", "waiting": 9},
        {"run_id": "r1", "finished": True, "kind": "restore"},
    ]
    assert runs_text(runs).splitlines()[2:] == [
        "  r4  began 2004-11-09 11:33:20 UTC: at work, or killed before its end",
        "  r3  failed   1 indexed, 2 failed, 3.0 s, 0.5000 USD",
        r"  r2  stopped  stopped: SIGTERM\x1b; 9 waiting, 0.0 s",
        "  r1  ok       restored; nothing changed, 0.0 s",
    ]
    assert runs_text([]) == ""


def test_a_run_says_where_its_report_is_and_why_it_stopped() -> None:
    report = RunReport(
        pipeline="p", stopped="SIGTERM", page="/i/runs/r.html", published=False, upkeep=("folded",), renamed=2
    )
    text = console.run_text(report)
    for part in (
        "stopped early: SIGTERM; the next run goes on",
        "report: /i/runs/r.html",
        "not published",
        "upkeep: folded",
        "2 renamed, 0 touched",
    ):
        assert part in text


def test_each_line_of_a_run_without_a_terminal_names_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    event = Event(kind="outcome", count=1, total=2, outcome=Outcome(uri="a.md", status=Status.INDEXED, chunks=4))
    with console.RunProgress() as progress, logs.about_run("20261121T021500-7f3a"):
        progress(event)
    assert capsys.readouterr().err == "20261121T021500-7f3a indexed 1/2 a.md: 4 chunks, 0.0 s\n"


def test_an_index_that_was_never_written_stands_empty() -> None:
    report = standing(MemoryIndex(), name="p")
    assert (report.documents, report.failed, report.runs, report.lease, dict(report.last_run)) == (0, 0, (), "", {})
    form = json_forms.status(report)
    assert {"stale", "waiting", "next_try", "published", "lease", "runs", "left_out", "gaps"} <= set(form)
    assert "last run" in console.status_text(report)
