"""Pages that a service reads in a run: what is asked, what is remembered, what happens when the service fails."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults, measures, printing

import docpipe
from docpipe.errors import OutOfCredit, Unauthorized
from docpipe.index.memory import MemoryIndex
from docpipe.pipeline.ingest.memo import Memo

pytestmark = pytest.mark.slow

PATH = "/layout_parsing"
PIPELINE = """
version: 1
name: scans
source: {{use: load.files, path: {source}}}
stages:
  - use: parse.auto
    pdf: {{use: parse.glm_ocr, piece_pages: {piece}}}
  - {{use: chunk.layout, max_tokens: 128}}
  - {{use: embed.hashing, dim: 32}}
index: {{use: index.lancedb, uri: {index}}}
run: {{workers: 1, max_delete: 1}}
"""


class Shelf:
    """A folder of scans and a pipeline over it."""

    def __init__(self, home: Path) -> None:
        self.source, self.home = home / "source", home
        self.source.mkdir()

    def put(self, name: str, sheets: list[printing.Sheet]) -> None:
        """A PDF of pictures."""
        (self.source / name).write_bytes(printing.scan(sheets, dpi=60, quality=30))

    def pipeline(self, *, piece: int = 4, index: str = "index") -> Path:
        """The pipeline's file."""
        path = self.home / f"{index}.yaml"
        path.write_text(PIPELINE.format(source=self.source, piece=piece, index=self.home / index), encoding="utf-8")
        return path

    def run(self, *, piece: int = 4, index: str = "index") -> docpipe.RunReport:
        """Bring the index in line; what failed before is tried whether its time has come or not."""
        with docpipe.open(self.pipeline(piece=piece, index=index)) as pipe:
            return pipe.run(retry_failed=True)


@pytest.fixture
def shelf(tmp_path: Path, platform: StandIn, quick_retries: None) -> Iterator[Shelf]:
    yield Shelf(tmp_path)


@pytest.fixture(scope="module")
def book() -> list[printing.Sheet]:
    """Enough different pages for all tests."""
    return printing.book(24, tables=False)


def sent(platform: StandIn) -> list[str]:
    """Marks of the pages that were read, as often as they were."""
    return [page for call in platform.calls(PATH) for page in call.pages]


def test_scans_are_found_by_what_stands_on_them(shelf: Shelf, platform: StandIn) -> None:
    sheet = printing.sheet([("heading", "Bilge pump"), ("text", "The bilge pump drains forty litres a minute.")])
    shelf.put("manual.pdf", [sheet])
    photo = printing.sheet([("text", "A photograph of the anchor winch, litres of paint beside it.")])
    (shelf.source / "photo.png").write_bytes(printing.image(photo, dpi=120))
    report = shelf.run()
    assert (report.indexed, report.failed, report.recognised) == (2, 0, 2)
    with docpipe.open(shelf.pipeline()) as pipe:
        hits = pipe.search("bilge pump litres", mode="text")
    assert [hit.chunk.source.uri for hit in hits] == ["manual.pdf", "photo.png"]
    box = hits[0].chunk.boxes[0]
    assert box.page == 1
    assert 0 < box.top < box.bottom < 1


def test_a_page_with_a_text_layer_costs_nothing(shelf: Shelf, platform: StandIn, book: list[printing.Sheet]) -> None:
    (shelf.source / "digital.pdf").write_bytes(printing.text_pdf(book[:5]))
    report = shelf.run()
    assert (report.indexed, report.recognised) == (1, 0)
    assert platform.calls(PATH) == []


def test_a_page_is_paid_for_once_wherever_it_stands(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    shelf.put("one.pdf", book[:8])
    assert shelf.run().recognised == 8
    platform.forget()
    shelf.put("one.pdf", [book[9], *book[:8]])
    shelf.put("two.pdf", [book[3], book[10]])
    report = shelf.run()
    assert (report.recognised, report.remembered) == (2, 9)
    assert sorted(sent(platform)) == sorted([str(book[9].number), str(book[10].number)])


def test_equal_pages_of_two_files_under_way_are_asked_for_once(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        shelf.put(name, book[:3])
    platform.latency(PATH, 0.2)
    report = shelf.run()
    assert (report.indexed, report.failed) == (3, 0)
    assert Counter(sent(platform)) == Counter(str(sheet.number) for sheet in book[:3])


def test_a_long_file_is_read_in_pieces_at_once(shelf: Shelf, platform: StandIn) -> None:
    sheets = printing.book(60, tables=False)
    shelf.put("long.pdf", sheets)
    platform.latency(PATH, 0.15)
    platform.allow(PATH, concurrency=2)
    report = shelf.run(piece=5)
    assert (report.indexed, report.recognised, report.pages) == (1, 60, 60)
    use = measures.use(platform.calls(PATH), slots=2)
    assert (use.most, use.refused) == (2, 0)
    assert measures.sent_twice(platform.calls(PATH)) == []
    assert max(len(call.pages) for call in platform.calls(PATH)) <= 5


def test_a_service_that_is_away_fails_the_scan_and_loses_no_page(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    shelf.put("scan.pdf", book[:8])
    (shelf.source / "note.md").write_text("# Note\n\nA digital note.", encoding="utf-8")
    platform.fault(PATH, faults.error("1234"), times=1_000, after=1)
    report = shelf.run()
    assert (report.indexed, report.failed) == (1, 1)
    (failed,) = report.failures
    assert failed.error is not None
    assert failed.error.retryable
    paid = {page for call in platform.calls(PATH) if call.status == 200 for page in call.pages}
    platform.mend()
    platform.forget()
    again = shelf.run()
    assert (again.indexed, again.failed) == (1, 0)
    assert paid.isdisjoint(sent(platform))


def test_a_service_that_stays_away_is_not_asked_for_every_document(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    for number in range(12):
        shelf.put(f"scan-{number:02}.pdf", [book[number]])
    platform.fault(PATH, faults.error("1234"), times=10_000)
    report = shelf.run()
    assert (report.indexed, report.failed) == (0, 12)
    assert all(failed.error is not None and failed.error.retryable for failed in report.failures)
    told = [failed.error.message for failed in report.failures if failed.error]
    assert any("was not asked again" in message for message in told)


def test_an_empty_account_ends_the_run_and_keeps_what_was_finished(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    for number in range(3):
        (shelf.source / f"note-{number}.md").write_text(f"# Note {number}\n\nText {number}.", encoding="utf-8")
        shelf.put(f"scan-{number}.pdf", [book[number]])
    platform.fault(PATH, faults.error("1113"), times=1_000)
    with docpipe.open(shelf.pipeline()) as pipe:
        with pytest.raises(OutOfCredit) as told:
            pipe.run()
        assert "run again to go on" in " ".join(told.value.__notes__)
        assert pipe.failures() == []
        platform.mend()
        report = pipe.run()
    assert (report.failed, report.indexed + report.unchanged) == (0, 6)


def test_a_key_that_is_wrong_ends_the_run(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("scan.pdf", book[:1])
    monkeypatch.setenv("ZAI_API_KEY", "wrong.key")
    with pytest.raises(Unauthorized):
        shelf.run()
    assert len(platform.calls(PATH)) == 1


def test_what_was_read_follows_the_index_to_another_place(
    shelf: Shelf, platform: StandIn, book: list[printing.Sheet]
) -> None:
    shelf.put("scan.pdf", book[:4])
    shelf.run()
    (shelf.home / "index").rename(shelf.home / "moved")
    platform.forget()
    with docpipe.open(shelf.pipeline(index="moved")) as pipe:
        report = pipe.run(full=True)
    assert (report.recognised, report.remembered) == (0, 4)
    assert platform.calls(PATH) == []


def test_a_stopped_run_leaves_no_call_behind(shelf: Shelf, platform: StandIn, book: list[printing.Sheet]) -> None:
    shelf.put("scan.pdf", book[:8])
    platform.latency(PATH, 0.3)

    def stop(event: docpipe.Event) -> None:
        if event.kind == "reading":
            raise KeyboardInterrupt

    with docpipe.open(shelf.pipeline()) as pipe, pytest.raises(KeyboardInterrupt):
        pipe.run(progress=stop)
    time.sleep(0.4)
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("docpipe-worker", "docpipe-memo"))
    ]
    assert shelf.run().indexed == 1


def test_a_run_that_was_killed_pays_only_for_what_is_missing(shelf: Shelf, platform: StandIn) -> None:
    sheets = printing.book(60, tables=False)
    shelf.put("long.pdf", sheets)
    platform.latency(PATH, 0.25)
    command = [sys.executable, "-m", "docpipe.cli", "run", str(shelf.pipeline(piece=2))]
    process = subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL, start_new_session=True)
    while len([call for call in platform.calls(PATH) if call.ended]) < 12 and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    begun = time.monotonic()
    calls = platform.calls(PATH)
    late = {page for call in calls if not call.ended or begun - call.ended < 1.0 for page in call.pages}
    report = shelf.run(piece=2)
    assert (report.indexed, report.failed) == (1, 0)
    assert report.remembered >= 8
    assert set(measures.sent_twice(platform.calls(PATH))) <= late


class TestMemo:
    def test_what_was_kept_is_found_at_once_and_later(self) -> None:
        index = MemoryIndex()
        memo = Memo(index)
        memo.keep({"a": b"1", "b": b"2"})
        assert memo.find(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
        memo.close()
        later = Memo(index)
        assert later.find(["a", "c"]) == {"a": b"1"}
        later.close()

    def test_many_small_replies_are_written_in_few_commits(self) -> None:
        index = MemoryIndex()
        memo = Memo(index)
        puts: list[int] = []
        write = memo._table.put

        def slow(rows: object) -> None:
            puts.append(1)
            time.sleep(0.02)
            write(rows)  # type: ignore[arg-type]

        memo._table.put = slow  # type: ignore[method-assign]
        for number in range(200):
            memo.keep({str(number): b"x"})
        memo.close()
        assert len(puts) < 20
        later = Memo(index)
        assert len(later.find([str(number) for number in range(200)])) == 200
        later.close()

    def test_what_cannot_be_written_is_told(self) -> None:
        memo = Memo(MemoryIndex())

        def broken(rows: object) -> None:
            raise OSError("no space left")

        memo._table.put = broken  # type: ignore[method-assign]
        memo.keep({"a": b"1"})
        with pytest.raises(OSError, match="no space left"):
            memo.close()
