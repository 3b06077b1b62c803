"""How a run tells of pages that a service reads, and how files share them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from reading_stages import reading_stages, write_book
from standin import StandIn, printing
from toy_stages import ToyEmbedder, ToyStages

from docpipe import console, output
from docpipe.errors import CorruptSource, DocpipeError, Refused, Unauthorized, Unavailable
from docpipe.index.lancedb import LanceIndex
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.ledger import Ledger
from docpipe.pipeline.ingest.memo import Memo
from docpipe.pipeline.ingest.plan import Retry
from docpipe.pipeline.ingest.recognition import Recognition, tried_again
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report import json_forms
from docpipe.pipeline.report.reports import Event, RunReport
from docpipe.protocols import Payload, Wanted

OPTIONS = RunOptions(workers=1)
NO_PAYLOAD = Payload(data=b"", media_type="", pages=(), ink=())


class Scripted:
    """A service that reads a page when it is told to, and fails where it is told to."""

    def __init__(self, *, fails_after: int = 10**6) -> None:
        self.asked: list[str] = []
        self.fails_after = fails_after
        self.go_on = asyncio.Event()

    async def recognise(
        self,
        wanted: Sequence[Wanted],
        make: Callable[[tuple[int, ...], str], Awaitable[Payload]],
        keep: Callable[[Mapping[str, bytes]], None],
    ) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        for number, one in enumerate(wanted):
            self.asked.append(one.key)
            await asyncio.sleep(0.05)
            if number >= self.fails_after:
                raise Unavailable("away", service="toy", remedy="wait")
            found[one.key] = one.key.encode()
            keep({one.key: found[one.key]})
        return found


class File:
    """What a run is told of one file."""

    def __init__(self, recognition: Recognition, keys: str) -> None:
        self.ended: Future[Mapping[str, bytes]] = Future()
        self.told: list[int] = []
        wanted = [Wanted(page=page, key=key) for page, key in enumerate(keys, start=1)]
        recognition.begin(wanted, make=self._make, told=self.told.append, done=self._done)

    def _make(self, pages: tuple[int, ...], way: str) -> "Future[Payload]":
        made: Future[Payload] = Future()
        made.set_result(NO_PAYLOAD)
        return made

    def _done(self, replies: Mapping[str, bytes], error: BaseException | None) -> None:
        self.ended.set_exception(error) if error else self.ended.set_result(replies)

    def keys(self) -> str:
        """Of the pages that were read."""
        return "".join(sorted(self.ended.result(timeout=10)))


@pytest.fixture
def memo() -> Memo:
    return Memo(MemoryIndex())


def test_files_share_the_pages_that_are_under_way(memo: Memo) -> None:
    service = Scripted()
    recognition = Recognition(service, memo)
    files = [File(recognition, keys) for keys in ("abc", "cbd", "ad")]
    assert [file.keys() for file in files] == ["abc", "bcd", "ad"]
    assert sorted(service.asked) == ["a", "b", "c", "d"]
    assert [sum(file.told) for file in files] == [3, 3, 2]


def test_a_page_that_was_read_before_its_file_failed_is_not_asked_for_again(memo: Memo) -> None:
    service = Scripted(fails_after=2)
    recognition = Recognition(service, memo)
    first, second = File(recognition, "abc"), File(recognition, "ab")
    assert isinstance(first.ended.exception(timeout=10), Unavailable)
    assert second.keys() == "ab"
    assert service.asked == ["a", "b", "c"]


def test_a_page_that_failed_in_one_file_is_asked_for_by_the_next(memo: Memo) -> None:
    service = Scripted(fails_after=1)
    recognition = Recognition(service, memo)
    first, second = File(recognition, "ab"), File(recognition, "b")
    assert isinstance(first.ended.exception(timeout=10), Unavailable)
    assert second.keys() == "b"
    assert service.asked == ["a", "b", "b"]


def test_a_page_is_known_from_the_moment_it_was_read(memo: Memo) -> None:
    service = Scripted()
    recognition = Recognition(service, memo)
    for keys in ("ab", "ab", "ba"):
        assert File(recognition, keys).keys() == "ab"
    assert service.asked == ["a", "b"]
    assert recognition.recognised == 2


@pytest.fixture
def book(tmp_path: Path, platform: StandIn) -> ToyStages:
    write_book(tmp_path / "docs" / "book.pdf", printing.book(6, tables=False))
    return reading_stages(tmp_path / "docs", tmp_path / "index", piece_pages=2)


def told(stages: ToyStages) -> tuple[RunReport, list[Event]]:
    """A run, and what it tells of pages that are read."""
    events: list[Event] = []
    report = Run(stages, OPTIONS, full=True, progress=events.append)("book")
    return report, [event for event in events if event.kind == "reading"]


def test_a_run_tells_how_far_the_service_is(book: ToyStages) -> None:
    _, events = told(book)
    assert {(event.uri, event.total) for event in events} == {("book.pdf", 6)}
    counts = [event.count for event in events]
    assert counts[0] == 0
    assert counts[-1] == 6
    assert counts == sorted(counts)


def test_the_report_says_in_words_what_was_read_and_what_it_cost(book: ToyStages) -> None:
    first, again = told(book)[0], told(book)[0]
    text = console.run_text(first)
    assert "6 pages read by a service, 0 known from before" in text
    assert f"cost: {first.cost_usd:.4f} USD: 3 calls" in text
    assert (again.recognised, again.remembered, again.requests, again.cost_usd) == (0, 6, 0, 0.0)
    assert "cost:" not in console.run_text(again)


def test_the_remarks_of_a_report_are_shown() -> None:
    shown: Any = console.run_text(RunReport(pipeline="x", requests=1, remarks=("the cost of X is not in the sum",)))
    assert "note: the cost of X is not in the sum" in shown


@dataclass(frozen=True, kw_only=True)
class Away(ToyEmbedder):
    """An embedder whose service fails for some texts."""

    calls: list[int] = field(default_factory=list, compare=False)
    error: DocpipeError = field(default=Unavailable("away", service="toy"), compare=False)
    word: str = field(default="", compare=False)
    """Texts with it fail."""

    def embed_passages(self, texts: Sequence[str], /) -> Any:
        self.calls.append(len(texts))
        if any(self.word in text for text in texts):
            raise self.error
        return super().embed_passages(texts)


def notes(folder: Path, index: Path, embedder: ToyEmbedder, *, count: int = 8) -> ToyStages:
    """A folder of short notes."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(f"note {number}", encoding="utf-8")
    return ToyStages(loaders=(FileLoader(path=str(folder)),), index=LanceIndex(uri=str(index)), embedder=embedder)


ONE_BY_ONE = RunOptions(workers=1, batch_chunks=1)


def test_an_embedder_whose_service_is_gone_is_not_asked_for_every_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embedder = Away()
    stages = notes(tmp_path / "docs", tmp_path / "index", embedder)
    with pytest.raises(Unavailable) as caught:
        Run(stages, ONE_BY_ONE)("notes")
    assert len(embedder.calls) == 3
    assert "3 of 8 documents" in caught.value.__notes__[0]
    assert json_forms.error(caught.value)["error"]["notes"] == caught.value.__notes__
    output.tell(caught.value, False, code=1)
    assert capsys.readouterr().err.splitlines()[-1].startswith("note: 3 of 8 documents")
    again = Run(replace(stages, embedder=ToyEmbedder()), ONE_BY_ONE, retry=Retry(every=True))("notes")
    assert (again.indexed, again.failed) == (8, 0)


def test_a_batch_that_could_not_be_embedded_is_tried_by_the_next_run(tmp_path: Path) -> None:
    stages = notes(tmp_path / "docs", tmp_path / "index", Away(word="note 4"))
    report = Run(stages, ONE_BY_ONE)("notes")
    assert (report.indexed, report.failed) == (7, 1)
    (failed,) = report.failures
    assert failed.error is not None
    assert (failed.uri, failed.error.stage, failed.error.retryable) == ("4.txt", "embed", True)
    again = Run(replace(stages, embedder=ToyEmbedder()), ONE_BY_ONE, retry=Retry(every=True))("notes")
    assert (again.indexed, again.unchanged) == (1, 7)


def test_a_key_that_the_embedder_lacks_leaves_documents_as_they_were(tmp_path: Path) -> None:
    stages = notes(tmp_path / "docs", tmp_path / "index", Away(error=Unauthorized("no key", service="toy")))
    with pytest.raises(Unauthorized):
        Run(stages, ONE_BY_ONE)("notes")
    assert Ledger(stages.index).known() == {}


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (Unavailable("away", service="toy"), True),
        (Refused("no such address", service="toy", status=404), True),
        (Refused("unsafe", service="toy", content_policy=True), False),
        (CorruptSource("cut short", source="a.pdf"), False),
        (KeyError("a defect"), False),
    ],
    ids=lambda value: str(value),
)
def test_what_is_tried_again_without_being_told(error: Exception, again: bool) -> None:
    assert tried_again(error) is again


def test_two_runs_keep_their_pages_beside_one_index(tmp_path: Path) -> None:
    memos = [Memo(LanceIndex(uri=str(tmp_path / "index"))) for _ in range(2)]
    for number in range(20):
        for who, memo in enumerate(memos):
            memo.keep({f"{who}-{number}": b"reply", f"both-{number}": b"the same"})
    for memo in memos:
        memo.close()
    kept = Memo(LanceIndex(uri=str(tmp_path / "index")))
    assert len(kept.known_keys()) == 60
    assert kept.find(["0-3", "1-3", "both-19", "unknown"]) == {
        "0-3": b"reply",
        "1-3": b"reply",
        "both-19": b"the same",
    }
    kept.close()


def test_pages_that_come_one_by_one_are_committed_together(tmp_path: Path) -> None:
    memo = Memo(LanceIndex(uri=str(tmp_path / "index")))
    for number in range(30):
        memo.keep({str(number): b"reply"})
        time.sleep(0.005)
    memo.close()
    assert len(list((tmp_path / "index" / "docpipe_memo.lance" / "_versions").iterdir())) <= 20
    assert len(Memo(LanceIndex(uri=str(tmp_path / "index"))).known_keys()) == 30


def test_a_page_is_on_disk_soon_after_it_was_read(tmp_path: Path) -> None:
    memo, other = (Memo(LanceIndex(uri=str(tmp_path / "index"))) for _ in range(2))
    memo.keep({"first": b""})
    time.sleep(0.05)
    memo.keep({"second": b""})
    end = time.monotonic() + 5
    while "second" not in Memo(LanceIndex(uri=str(tmp_path / "index"))).known_keys() and time.monotonic() < end:
        time.sleep(0.05)
    assert time.monotonic() < end
    assert other.find(["first", "second"]) == {"first": b"", "second": b""}
    memo.close()
