"""Sources -> an index in line with them."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from toy_stages import ToyChunker, ToyParser
from toy_world import World

from docpipe.errors import SourceError
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.report.reports import Event
from docpipe.protocols import Index
from docpipe.types import Status

Write = Callable[..., None]


def test_a_first_run_indexes_everything(world: World) -> None:
    report = world.run()
    assert (report.indexed, report.failed, report.chunks, report.pages) == (3, 0, 5, 3)
    assert world.found("alpha") == ["a.txt", "a.txt"]


def test_a_second_run_with_nothing_changed_parses_embeds_and_writes_nothing(world: World) -> None:
    version = world.run().version
    report = world.run()
    assert (report.unchanged, report.indexed, report.chunks, report.embedded) == (3, 0, 0, 0)
    assert (world.parsed, world.embedded) == ([], [])
    assert report.version == version


def test_a_touched_file_is_read_but_not_parsed_and_next_time_not_even_read(world: World) -> None:
    world.run()
    os.utime(world.root / "a.txt", ns=(1, 1))
    report = world.run()
    assert (report.unchanged, report.updated, world.parsed) == (3, 0, [])
    assert world.run().seconds >= 0
    assert world.parsed == []


def test_a_changed_file_is_replaced_and_its_unchanged_chunks_keep_their_vectors(world: World) -> None:
    world.run()
    world.write(a="alpha one\n\nalpha three")
    report = world.run()
    assert (report.updated, report.unchanged, report.embedded, report.reused) == (1, 2, 1, 1)
    assert world.embedded == ["alpha three"]
    assert world.found("two") == ["b.txt"]


def test_a_vanished_file_disappears(world: World) -> None:
    world.run()
    (world.root / "b.txt").unlink()
    assert world.run().deleted == 1
    assert world.found("beta") == []
    assert world.run().deleted == 0


def test_a_changed_chunker_does_not_parse_again(world: World) -> None:
    world.run()
    world.stages = replace(world.stages, chunker=ToyChunker(context="about "))
    report = world.run()
    assert (report.updated, world.parsed, report.embedded) == (3, [], 5)


def test_a_changed_parser_does_everything_again(world: World) -> None:
    world.run()
    world.stages = replace(world.stages, parser=ToyParser(upper=True, log=str(world.log)))
    report = world.run()
    assert (report.updated, len(world.parsed), report.embedded) == (3, 3, 5)


def test_a_full_run_ignores_the_ledger(world: World) -> None:
    world.run()
    report = world.run(full=True)
    assert (report.updated, len(world.parsed), report.embedded, report.reused) == (3, 3, 0, 5)


def test_a_limit_leaves_the_rest_for_the_next_run(world: World) -> None:
    assert world.run(limit=1).indexed == 1
    assert world.run().indexed == 2


@pytest.mark.parametrize(
    ("text", "kind", "cause"),
    [
        ("CRASH", "WorkerDied", "exit status 9"),
        ("CORRUPT", "CorruptSource", "cut short"),
        ("DEFECT", "KeyError", "a defect"),
        ("UNEMBEDDABLE", "EmbedError", "will not embed"),
    ],
)
def test_one_bad_document_does_not_stop_the_rest(world: World, text: str, kind: str, cause: str) -> None:
    world.write(bad=text)
    report = world.run()
    assert (report.indexed, report.failed) == (3, 1)
    (outcome,) = report.failures
    assert outcome.uri == "bad.txt"
    assert outcome.error is not None
    assert (outcome.error.type, cause in outcome.error.message) == (kind, True)
    assert outcome.error.remedy


def test_a_hanging_document_fails_by_name_and_the_rest_goes_on(world: World) -> None:
    world.options = RunOptions(workers=2, timeout=1)
    world.write(bad="HANG")
    report = world.run()
    assert (report.indexed, [o.error.type for o in report.failures if o.error]) == (3, ["TimedOut"])


def test_a_file_that_fails_for_good_is_not_tried_again_until_it_changes(world: World) -> None:
    world.write(bad="CORRUPT")
    world.run()
    again = world.run()
    assert (again.failed, world.parsed) == (1, [])
    assert again.failures[0].error is not None
    assert again.failures[0].error.remedy == "save it again"
    world.write(bad="sound now")
    mended = world.run()
    assert (mended.failed, mended.indexed) == (0, 1)


def test_raised_limits_give_a_failed_file_another_try(world: World) -> None:
    world.options = RunOptions(workers=2, timeout=1)
    world.write(bad="CORRUPT")
    world.run()
    world.options = RunOptions(workers=2, timeout=5)
    world.run()
    assert world.parsed == ["bad.txt 0"]


def test_a_file_that_fails_now_keeps_its_old_rows(world: World) -> None:
    world.run()
    world.write(a="CORRUPT")
    report = world.run()
    assert (report.failed, report.deleted) == (1, 0)
    assert world.found("alpha") == ["a.txt", "a.txt"]


def test_a_file_nobody_reads_is_left_out_with_its_reason_and_remembered(world: World) -> None:
    world.write(strange="FOREIGN")
    for report in (world.run(), world.run()):
        assert (report.ignored, report.failed) == (1, 0)
        assert report.left_out[0].error is not None
        assert (
            report.left_out[0].error.message.startswith("nobody reads")
            or "left out" in report.left_out[0].error.message
        )
    assert world.parsed == []


def test_equal_texts_are_embedded_once(world: World) -> None:
    world.write(d="gamma", e="gamma\n\ngamma")
    report = world.run()
    assert (report.chunks, report.embedded, report.reused) == (8, 5, 3)


def test_a_long_file_is_parsed_in_ranges_and_comes_out_whole(world: World) -> None:
    world.write(long="\f".join(f"page {number}" for number in range(1, 131)))
    report = world.run()
    assert (report.indexed, report.pages) == (4, 133)
    assert [line for line in world.parsed if line.startswith("long")] == ["long.txt 0", "long.txt 48", "long.txt 96"]
    (hit,) = world.stages.index.search_text("130", limit=1)
    assert world.stages.index.fetch([hit[0]])[hit[0]].pages == (130,)


def test_a_long_file_with_a_bad_range_fails_once(world: World) -> None:
    world.write(long="\f".join(["CORRUPT", *map(str, range(130))]))
    report = world.run()
    assert (report.indexed, report.failed, len(report.failures)) == (3, 1, 1)


def test_pages_that_need_ocr_are_reported(world: World) -> None:
    world.write(scan="\fwords\f")
    report = world.run()
    assert [(item.uri, item.pages) for item in report.needs_ocr] == [("scan.txt", (1, 3))]
    assert report.ocr_pages == 2


def test_an_empty_source_deletes_nothing_and_says_how_to_go_on(world: World) -> None:
    world.run()
    for path in world.root.iterdir():
        path.unlink()
    with pytest.raises(SourceError, match="3 of 3 indexed documents") as caught:
        world.run()
    assert "max_delete" in caught.value.remedy
    assert world.found("alpha")
    world.options = replace(world.options, max_delete=1.0)
    assert world.run().deleted == 3


def test_a_source_without_any_file_says_so(tmp_path: Path, index: Index) -> None:
    world = World(tmp_path, index)
    with pytest.raises(SourceError, match="no file to index"):
        world.run()


def test_what_cannot_be_listed_is_not_taken_for_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.root / "closed").mkdir()
    (world.root / "closed" / "deep.txt").write_text("deep words", encoding="utf-8")
    world.run()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = world.run()
    assert (report.deleted, report.failed) == (0, 1)
    assert world.found("deep") == ["closed/deep.txt"]


def test_progress_tells_each_document(world: World) -> None:
    events: list[Event] = []
    world.run(progress=events.append)
    assert events[0].kind == "found"
    assert events[0].total == 3
    outcomes = [event.outcome for event in events if event.outcome]
    assert sorted(outcome.uri for outcome in outcomes) == ["a.txt", "b.txt", "c.txt"]
    assert {outcome.status for outcome in outcomes} == {Status.INDEXED}


def test_batches_bound_what_a_killed_run_does_again(world: World) -> None:
    world.options = RunOptions(workers=1, batch_chunks=1)
    commits: list[Event] = []
    world.run(progress=lambda event: commits.append(event) if event.kind == "committed" else None)
    assert len(commits) == 3
