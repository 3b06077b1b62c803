"""What a run would do, without doing it."""

from pathlib import Path

import pytest
from toy_stages import ToyParser, ToyStages

from docpipe.index.lancedb import LanceIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.options import RunOptions
from docpipe.pipeline.planning import plan
from docpipe.pipeline.run import Run

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
    assert {item.why for item in made.items} == {"the parser or its options changed"}
