"""A run's report as JSON, as a page, as files beside those of earlier runs."""

import json
import math
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from docpipe.pipeline.report import files, json_forms
from docpipe.pipeline.report.line_plot import Point, line_plot
from docpipe.pipeline.report.reports import Account, Holds, RunReport, Sums
from docpipe.pipeline.report.run_page import page
from docpipe.types import Failure, Outcome, Status

RUN_ID = "20261121T021500-7f3a"
HOSTILE = "a<img src=x onerror=alert(1)>\u202efdp\x1b[31m\ud800\"'&.pdf"


def failed(uri: str = "bad.pdf", message: str = "the file is cut short") -> Outcome:
    error = Failure(stage="parse", type="CorruptSource", message=message, remedy="copy it again", retryable=False)
    return Outcome(uri=uri, status=Status.FAILED, error=error)


def a_run(run_id: str = RUN_ID, **more: Any) -> RunReport:
    facts: dict[str, Any] = {
        "indexed": 3,
        "unchanged": 2,
        "failed": 1,
        "failures": (failed(),),
        "stage_seconds": {"parse": 2.0, "embed": 4.0},
        "account": Account(
            files=Sums(found=6, indexed=3, unchanged=2, failed=1),
            pages=Sums(found=12, indexed=8, unchanged=4),
            characters=1000,
            covered=900,
            left_out={"footer": 100},
        ),
        "slowest": (Outcome(uri="slow.pdf", status=Status.INDEXED, pages=9, chunks=20, seconds=1.5),),
        "holds": Holds(documents=5, chunks=50, bytes=2_000_000),
        "started": 1.79e9,
    }
    return RunReport(pipeline="handbook", run_id=run_id, **(facts | more))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def text_of(shown: str) -> str:
    return " ".join(str(html.fromstring(shown).text_content()).split())


def test_the_form_of_a_run_has_every_field_of_its_report() -> None:
    form = json_forms.run(a_run())
    assert {field.name for field in fields(RunReport)} <= set(form)
    assert form["account"]["files"] == {
        "found": 6, "indexed": 3, "updated": 0, "unchanged": 2, "deleted": 0, "failed": 1, "ignored": 0, "waiting": 0,
        "gap": 0,
    }  # fmt: skip
    assert form["account"]["closed"] is True
    assert form["failing"] is True
    assert json.loads(json.dumps(form)) == form


@pytest.mark.parametrize(
    ("report", "failing"),
    [
        pytest.param(RunReport(pipeline="x"), False, id="nothing done"),
        pytest.param(RunReport(pipeline="x", stopped="SIGTERM", waiting=3), False, id="stopped"),
        pytest.param(
            RunReport(pipeline="x", stopped="SIGTERM", published=False), False, id="stopped before it is judged"
        ),
        pytest.param(RunReport(pipeline="x", failed=1), True, id="a document failed"),
        pytest.param(RunReport(pipeline="x", account=Account(gaps=("a.md",))), True, id="a gap"),
        pytest.param(RunReport(pipeline="x", account=Account(files=Sums(found=1))), True, id="a lost file"),
        pytest.param(RunReport(pipeline="x", published=False), True, id="not published"),
        pytest.param(RunReport(pipeline="x", ended_by=failed().error), True, id="ended by an error"),
    ],
)
def test_somebody_has_to_look_at_a_run_that_is_not_whole(report: RunReport, failing: bool) -> None:
    assert report.failing is failing


def test_the_page_tells_what_failed_and_what_to_try() -> None:
    said = text_of(page(a_run()))
    assert "handbook failed" in said
    assert "bad.pdf" in said and "the file is cut short" in said and "copy it again" in said
    assert "slow.pdf" in said
    assert "characters of text 1,000" in re.sub(r"(?<=text)(?=\d)", " ", said)
    assert "The account is closed" in said


def test_the_page_names_what_is_accounted_for_nowhere() -> None:
    lost = Account(files=Sums(found=2, indexed=1), gaps=("lost.pdf: 12 code points",))
    said = text_of(page(a_run(account=lost)))
    assert "lost.pdf: 12 code points" in said
    assert "The account is not closed" in said


def test_the_page_says_why_a_run_stopped_or_ended() -> None:
    quiet = a_run(failed=0, failures=(), stopped="SIGTERM", waiting=7)
    assert "handbook stopped" in text_of(page(quiet))
    assert "Stopped early: SIGTERM" in text_of(page(quiet))
    ended = text_of(
        page(a_run(ended_by=Failure(stage="run", type="SourceError", message="no such share", remedy="mount it")))
    )
    assert "SourceError no such share" in ended and "mount it" in ended


def test_the_page_shows_the_golden_questions_that_got_worse() -> None:
    staged = {
        "hit_rate": 0.5,
        "questions": [{"question": "Who signs?", "rank": 0}],
        "worse": [{"question": "Who signs?", "before": 1, "after": 0}],
        "reasons": ["1 question lost its place"],
    }
    said = text_of(page(a_run(staged=staged, published=False)))
    assert "hit_rate 0.500" in said and "1 question lost its place" in said
    assert "Not published" in said
    assert re.search(r"Who signs\? ?1 ?not found", said)


def test_no_name_or_message_becomes_part_of_the_page() -> None:
    hostile = a_run(
        failures=(failed(HOSTILE, HOSTILE),),
        left_out=(Outcome(uri=HOSTILE, status=Status.IGNORED, error=failed(HOSTILE, HOSTILE).error),),
        remarks=(HOSTILE,),
        upkeep=(HOSTILE,),
        stopped=HOSTILE,
        stage_seconds={HOSTILE: 1.0},
        account=Account(gaps=(HOSTILE,), characters=1, left_out={HOSTILE: 1}),
        slowest=(Outcome(uri=HOSTILE, status=Status.INDEXED),),
        staged={"questions": [{"question": HOSTILE, "rank": HOSTILE}], "worse": [HOSTILE], "reasons": [HOSTILE]},
        ended_by=failed(HOSTILE, HOSTILE).error,
    )
    shown = page(replace(hostile, pipeline=HOSTILE), [{"run_id": HOSTILE, "seconds": 1, "holds": HOSTILE}])
    assert "<img" not in shown and "\u202e" not in shown and "\x1b" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;\\u202efdp\\x1b[31m\\ud800" in shown


def test_the_page_needs_nothing_from_elsewhere() -> None:
    shown = page(a_run(), [json_forms.run(a_run())])
    tree = html.fromstring(shown)
    assert not tree.xpath("//script | //link | //img | //iframe | //@src | //@href | //@*[starts-with(name(), 'on')]")
    assert "default-src 'none'" in tree.xpath("string(//meta[@http-equiv]/@content)")
    assert not re.search(r"(https?:)?//|url\(|@import", re.sub(r"<!doctype html>", "", shown))
    for one in tree.xpath("//svg"):
        etree.fromstring(html.tostring(one, encoding="unicode"))


def test_long_lists_are_cut_and_counted() -> None:
    many = tuple(failed(f"{number}.pdf") for number in range(1000))
    shown = page(a_run(failures=many))
    assert "... and 800 more" in shown and "999.pdf" not in shown
    assert len(shown) < 100_000


def test_damaged_forms_of_earlier_runs_do_no_harm() -> None:
    odd: list[dict[str, Any]] = [{}, {"holds": None, "seconds": "x"}, {"holds": {"documents": True, "bytes": math.nan}}]
    page(a_run(), [*odd, {"seconds": 1e300, "cost_usd": -1, "run_id": None}])


@given(st.lists(st.floats(0, 1e15), min_size=1, max_size=70))
def test_every_run_has_a_dot_inside_the_plot(values: list[float]) -> None:
    points = [Point(f"run {number}", value, number % 2 == 0) for number, value in enumerate(values)]
    drawn = etree.fromstring(line_plot("size <MB>", points, shown=lambda value: f"{value:.1f}"))
    dots = drawn.findall(".//circle")
    assert len(dots) == len(values)
    assert all(0 <= float(dot.get("cx")) <= 320 and 0 <= float(dot.get("cy")) <= 96 for dot in dots)


def test_a_run_leaves_a_json_file_a_page_and_the_latest_page(tmp_path: Path) -> None:
    left = files.write(a_run(), tmp_path / "runs")
    assert left == (str(tmp_path / "runs" / f"{RUN_ID}.html"), "")
    assert names_in(tmp_path / "runs") == [f"{RUN_ID}.html", f"{RUN_ID}.json", "latest.html"]
    form = json.loads((tmp_path / "runs" / f"{RUN_ID}.json").read_text())
    assert form["run_id"] == RUN_ID and form["account"]["covered"] == 900
    assert (tmp_path / "runs" / "latest.html").read_bytes() == Path(left.page).read_bytes()


def test_the_plots_go_on_from_earlier_runs(tmp_path: Path) -> None:
    for day in range(1, 6):
        left = files.write(a_run(f"202611{day:02d}T021500-7f3a"), tmp_path)
    (tmp_path / "20261109T021500-7f3a.json").write_text("{ broken")
    (tmp_path / "20261108T021500-7f3a.json").write_text("[1]")
    left = files.write(a_run("20261110T021500-7f3a"), tmp_path)
    assert "the last 6 runs" in text_of(Path(left.page).read_text())


def test_only_so_many_reports_stay_and_nothing_else_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "KEPT_JSON", 3)
    monkeypatch.setattr(files, "KEPT_PAGES", 2)
    own = ["notes.json", "2026.html", ".mine.part", "20261101T021500-7f3a.json.bak"]
    for name in [*own, ".20261101T021500-7f3a.json.part", ".latest.html.part"]:
        (tmp_path / name).write_text("mine")
    for day in range(1, 8):
        files.write(a_run(f"202611{day:02d}T021500-7f3a"), tmp_path)
    names = set(names_in(tmp_path))
    assert {name for name in names if name.endswith(".json")} == {
        "notes.json", *(f"2026110{day}T021500-7f3a.json" for day in (5, 6, 7)),
    }  # fmt: skip
    assert {name for name in names if name.endswith(".html")} == {
        "2026.html", "latest.html", "20261106T021500-7f3a.html", "20261107T021500-7f3a.html",
    }  # fmt: skip
    assert set(own) <= names
    assert not [name for name in names if name.endswith(".part") and name != ".mine.part"]


def test_a_report_written_while_the_clock_is_behind_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "KEPT_JSON", 1)
    monkeypatch.setattr(files, "KEPT_PAGES", 1)
    files.write(a_run("20991121T021500-7f3a"), tmp_path)
    left = files.write(a_run("20201121T021500-7f3a"), tmp_path)
    assert Path(left.page).exists()


def test_a_report_that_cannot_be_written_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    left = files.write(a_run(), tmp_path / "runs")
    assert left.page == ""
    assert left.remark.startswith(f"the report of this run could not be written to {tmp_path / 'runs'}: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / f".{RUN_ID}.json.part").symlink_to("/dev/full")
    left = files.write(a_run(), tmp_path)
    assert "No space left" in left.remark
    assert names_in(tmp_path) == []


def test_thousands_of_left_out_files_do_not_swell_the_reports(tmp_path: Path) -> None:
    many = tuple(replace(failed(f"{number}.tmp"), status=Status.IGNORED) for number in range(5000))
    files.write(a_run(left_out=many), tmp_path)
    form = json.loads((tmp_path / f"{RUN_ID}.json").read_text())
    assert len(form["left_out"]) == 200 and form["left_off"] == {"left_out": 4800}


def test_file_names_that_are_no_text_can_be_reported(tmp_path: Path) -> None:
    left = files.write(a_run(failures=(failed("a\udcff.pdf"),)), tmp_path)
    assert left.remark == ""
    assert json.loads((tmp_path / f"{RUN_ID}.json").read_text())["failures"][0]["uri"] == "a\udcff.pdf"
