"""What a run would do, without doing it."""

from pathlib import Path

import pytest
from reading_stages import reading_stages, write_book
from standin import StandIn, printing
from toy_stages import ToyParser, ToyStages

from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.planning import plan
from docpipe.pipeline.ingest.run import Run

OPTIONS = RunOptions(workers=1)


@pytest.fixture
def stages(tmp_path: Path) -> ToyStages:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("alpha\fbeta gamma\f", encoding="utf-8")
    (docs / "b.txt").write_text("delta", encoding="utf-8")
    return ToyStages(loaders=(FileLoader(path=str(docs)),), index=LanceIndex(uri=str(tmp_path / "index")))


def test_a_plan_before_the_first_run_writes_nothing(stages: ToyStages, tmp_path: Path) -> None:
    made = plan(stages, OPTIONS)
    assert (made.added, made.changed, made.unchanged, made.deleted, made.pages) == (2, 0, 0, 0, 4)
    assert made.embed_tokens > 0
    assert [(item.uri, item.action, item.why) for item in made.items] == [
        ("a.txt", "add", "new"),
        ("b.txt", "add", "new"),
    ]
    assert not (tmp_path / "index").exists()


def test_a_plan_after_a_run_tells_only_what_differs(stages: ToyStages, tmp_path: Path) -> None:
    Run(stages, OPTIONS)("toy")
    assert plan(stages, OPTIONS).items == ()
    (tmp_path / "docs" / "a.txt").write_text("alpha again\f", encoding="utf-8")
    (tmp_path / "docs" / "b.txt").unlink()
    made = plan(stages, OPTIONS)
    assert (made.added, made.changed, made.unchanged, made.deleted) == (0, 1, 0, 1)
    assert {(item.uri, item.action) for item in made.items} == {("a.txt", "change"), ("b.txt", "delete")}
    assert made.ocr_pages == 1, "the empty last page that the run has seen"
    assert made.embed_tokens == 3, "as counted by the run"


def test_a_plan_does_not_stop_at_a_bad_file(stages: ToyStages, tmp_path: Path) -> None:
    (tmp_path / "docs" / "gone.txt").symlink_to("nowhere")
    made = plan(stages, OPTIONS)
    assert made.added == 2
    assert [item.why for item in made.items if item.uri == "gone.txt"]


def test_a_plan_after_a_change_of_the_parser_counts_every_page(stages: ToyStages) -> None:
    Run(stages, OPTIONS)("toy")
    made = plan(ToyStages(loaders=stages.loaders, index=stages.index, parser=ToyParser(upper=True)), OPTIONS)
    assert (made.changed, made.pages) == (2, 4)
    assert {item.why for item in made.items} == {"parser version: the parser or its options changed"}


@pytest.fixture
def scans(tmp_path: Path, platform: StandIn) -> ToyStages:
    """Two books of which every page goes to a service; both hold the first four pages."""
    sheets = printing.book(40, tables=False)
    write_book(tmp_path / "docs" / "long.pdf", sheets[:30])
    write_book(tmp_path / "docs" / "short.pdf", sheets[:4] + sheets[30:33])
    return reading_stages(tmp_path / "docs", tmp_path / "index", piece_pages=10)


def test_a_plan_prices_what_a_service_would_read_and_asks_it_nothing(scans: ToyStages, platform: StandIn) -> None:
    made = plan(scans, OPTIONS)
    assert (made.pages, made.ocr_pages) == (37, 33), "pages that two files share are read once"
    assert made.requests == 4
    assert made.cost_usd == pytest.approx(33 * 2500 * 0.03 / 1e6)
    assert platform.calls() == []


def test_a_run_costs_what_was_planned_or_less_and_the_next_plan_knows_the_pages(
    scans: ToyStages, platform: StandIn, tmp_path: Path
) -> None:
    expected = plan(scans, OPTIONS)
    report = Run(scans, OPTIONS)("scans")
    assert 0.3 * expected.cost_usd < report.cost_usd <= expected.cost_usd
    assert report.requests == len(platform.calls("/layout_parsing"))
    assert report.tokens > 33 * 1000
    sheets = printing.book(40, tables=False)
    write_book(tmp_path / "docs" / "long.pdf", [*sheets[10:30], sheets[39]])
    again = plan(scans, OPTIONS, full=True)
    assert (again.pages, again.ocr_pages, again.requests) == (28, 1, 1)


def test_a_plan_may_be_of_some_documents(scans: ToyStages) -> None:
    made = plan(scans, OPTIONS, limit=1)
    assert (made.added, made.pages, len(made.items)) == (1, 30, 1)


def test_a_plan_needs_no_key(scans: ToyStages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY")
    assert plan(scans, OPTIONS).ocr_pages == 33
