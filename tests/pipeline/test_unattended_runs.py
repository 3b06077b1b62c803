"""What a run leaves as it was, finds again, tries later and stops at."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from toy_stages import ToyChunker, ToyEmbedder, ToyParser
from toy_world import World

from docpipe.errors import RunLocked, Unavailable
from docpipe.pipeline.ingest.ledger import Stamp, in_hand_row, new_row, wait_after
from docpipe.pipeline.ingest.plan import Retry
from docpipe.pipeline.report.reports import Event
from docpipe.pipeline.schedule.stopping import Stop
from docpipe.types import Failure, Source, Status


def test_a_renamed_file_is_neither_parsed_nor_embedded_again(world: World) -> None:
    world.run()
    (world.root / "a.txt").rename(world.root / "z.txt")
    report = world.run()
    assert (report.updated, report.renamed, report.deleted, report.unchanged) == (1, 1, 0, 2)
    assert (world.parsed, world.embedded) == ([], [])
    assert world.found("alpha") == ["z.txt", "z.txt"]
    assert set(world.ledger.uris()) == {"b.txt", "c.txt", "z.txt"}
    assert report.account.closed
    assert world.run().unchanged == 3


def test_a_copied_file_is_not_parsed_again(world: World) -> None:
    world.run()
    (world.root / "copy.txt").write_bytes((world.root / "a.txt").read_bytes())
    report = world.run()
    assert (report.indexed, report.renamed, world.parsed) == (1, 0, [])
    assert world.found("alpha") == ["a.txt", "a.txt", "copy.txt", "copy.txt"]


def test_files_that_change_names_with_each_other_are_not_parsed_again(world: World) -> None:
    world.run()
    (world.root / "a.txt").rename(world.root / "x.txt")
    (world.root / "b.txt").rename(world.root / "a.txt")
    (world.root / "x.txt").rename(world.root / "b.txt")
    report = world.run()
    assert (report.updated, world.parsed) == (2, [])
    assert world.found("alpha") == ["b.txt", "b.txt"]
    assert report.account.closed


def test_a_file_that_comes_back_within_its_history_is_not_parsed_again(world: World) -> None:
    world.run()
    old = (world.root / "a.txt").read_bytes()

    class Remembers:
        def __init__(self) -> None:
            self.digests = {row.digest for row in world.ledger.rows(["a.txt"]).values()}

        def begin(self, started: float, *, base: bool) -> None: ...
        def note(self, pairs: Any, ledger_rows: Any) -> None: ...
        def last_run(self) -> dict[str, Any]:
            return {}

        def kept_digests(self) -> set[str]:
            return self.digests

    keeps = Remembers()
    world.write(a="something else")
    world.run(history=keeps)
    (world.root / "a.txt").write_bytes(old)
    assert (world.run(history=keeps).updated, world.parsed) == (1, [])


def test_parsed_documents_that_nothing_refers_to_are_let_go(world: World) -> None:
    world.run()
    world.write(a="alpha three")
    (world.root / "b.txt").unlink()
    world.run()
    assert world.ledger.parsed_table.count() == 2
    world.stages = replace(world.stages, parser=ToyParser(upper=True, log=str(world.log)))
    world.run()
    assert world.ledger.parsed_table.count() == 2


def test_the_account_of_a_run_tells_files_pages_and_characters(world: World) -> None:
    account = world.run().account
    assert (account.files.found, account.files.indexed, account.files.gap) == (3, 3, 0)
    assert (account.pages.found, account.pages.indexed, account.pages.gap) == (3, 3, 0)
    assert account.characters == account.covered == len("alphaonealphatwobetaonebetatwogamma")
    (world.root / "b.txt").unlink()
    world.write(a="alpha \f two", bad="CORRUPT", strange="FOREIGN")
    account = world.run().account
    files = account.files
    assert (files.found, files.updated, files.unchanged, files.deleted, files.failed, files.ignored) == (
        5,
        1,
        1,
        1,
        1,
        1,
    )
    assert (account.pages.updated, account.pages.unchanged, account.pages.deleted, account.pages.gap) == (2, 1, 1, 0)
    assert account.closed


@dataclass(frozen=True, kw_only=True)
class Forgetful(ToyChunker):
    """Leaves the last block out, and tells nobody."""

    def __call__(self, document: Any, /) -> Any:
        return list(super().__call__(document))[:-1]


def test_characters_that_no_chunk_holds_make_a_failed_run_that_names_the_document(world: World) -> None:
    world.stages = replace(world.stages, chunker=Forgetful())
    report = world.run()
    assert report.failing
    assert not report.account.closed
    assert "a.txt: 8 of 16 characters are in no chunk, and were not left out on purpose" in report.account.gaps
    assert not world.run().account.closed, "it stays so until it is mended"
    world.stages = replace(world.stages, chunker=ToyChunker())
    assert world.run().account.closed


@dataclass(frozen=True, kw_only=True)
class LosesPages(ToyParser):
    """Forgets its last page when it joins them."""

    def merge(self, source: Source, parts: Sequence[Any], /) -> Any:
        whole = super().merge(source, parts)
        return replace(whole, pages=whole.pages[:-1])


def test_pages_that_get_lost_leave_a_gap(world: World) -> None:
    world.stages = replace(world.stages, parser=LosesPages())
    report = world.run()
    assert (report.account.pages.gap, report.account.closed, report.failing) == (3, False, True)


def test_a_stop_finishes_what_is_in_hand_and_the_next_run_goes_on(world: World) -> None:
    world.write(**{f"n{number:02}": f"note {number}" for number in range(40)})
    world.options = replace(world.options, workers=1, batch_chunks=4)
    stop = Stop()

    def stopping(event: Event) -> None:
        if event.kind == "committed":
            stop.set("SIGTERM")

    report = world.run(stop=stop, progress=stopping)
    assert (report.stopped, report.failed) == ("SIGTERM", 0)
    assert 0 < report.indexed < 43
    assert report.indexed + report.waiting == 43
    assert report.account.closed
    assert not report.failing
    done = set(world.parsed)
    again = world.run()
    assert (again.indexed, again.waiting, again.account.closed) == (report.waiting, 0, True)
    assert not done & set(world.parsed)


def test_a_stopped_run_deletes_nothing_more(world: World) -> None:
    world.run()
    (world.root / "a.txt").unlink()
    stop = Stop()
    stop.set("SIGTERM")
    report = world.run(stop=stop)
    assert (report.deleted, report.waiting, report.account.closed) == (0, 1, True)
    assert world.run().deleted == 1


def test_with_a_limit_what_may_have_been_renamed_is_not_deleted(world: World) -> None:
    world.run()
    for name in "ab":
        (world.root / f"{name}.txt").rename(world.root / f"new-{name}.txt")
    report = world.run(limit=1)
    assert (report.renamed, report.deleted, report.account.closed) == (1, 0, True)
    report = world.run()
    assert (report.renamed, report.deleted, world.embedded, world.parsed) == (1, 0, [], [])


class Lost(RunLocked):
    def __init__(self) -> None:
        super().__init__(index="i", holder="another")


@dataclass
class LosingGuard:
    """A lease that is lost after some looks."""

    looks: int

    def check(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise Lost


def test_a_lost_lease_ends_the_run_before_its_next_commit(world: World) -> None:
    looks, report = 0, None
    while report is None:
        try:
            report = world.run(guard=LosingGuard(looks))
        except Lost:
            looks += 1
    assert looks > 4
    assert (report.failed, report.account.closed) == (0, True)
    assert world.found("alpha") == ["a.txt", "a.txt"]
    assert world.ledger.totals().in_hand == 0


def test_a_passing_failure_waits_for_its_time_unless_it_is_asked_for(world: World) -> None:
    world.options = replace(world.options, timeout=1)
    world.write(bad="HANG")
    assert world.run().failures[0].error is not None
    row = world.ledger.rows(["bad.txt"])["bad.txt"]
    assert row.next_try == 0, "what takes too long takes too long again: only other limits or another file help"
    world.stages = replace(world.stages, embedder=Away())
    world.write(c="gamma changed")
    report = world.run()
    assert (report.failed, report.stale) == (2, 1)
    row = world.ledger.rows(["c.txt"])["c.txt"]
    assert row.is_stale
    assert row.next_try == row.last_tried, "the next run tries it, whenever it is"
    assert world.run().failed == 2
    row = world.ledger.rows(["c.txt"])["c.txt"]
    assert 1500 < row.next_try - row.last_tried < 2100
    world.stages = replace(world.stages, embedder=ToyEmbedder())
    assert world.run().failed == 2, "its time has not come"
    assert world.run(retry=Retry(uris=frozenset({"c.txt"}))).updated == 1
    assert world.ledger.stale() == frozenset()


@dataclass(frozen=True, kw_only=True)
class Away(ToyEmbedder):
    """Its service is down."""

    def embed_passages(self, texts: Sequence[str], /) -> Any:
        raise Unavailable("away", service="toy", remedy="wait")


@given(attempts=st.integers(2, 10_000), uri=st.text(max_size=20))
def test_waiting_times_double_up_to_a_day_and_are_spread(attempts: int, uri: str) -> None:
    least = min(2 ** min(attempts - 2, 20) * 1800, 86_400)
    assert 0.9 * least - 1 <= wait_after(attempts, uri) <= 1.1 * least + 1


def test_a_failure_keeps_what_is_known_of_the_older_version() -> None:
    row = replace(new_row("a", "id"), status="indexed", chunks=3, pages=2, digest="d", characters=9, covered=9)
    source = Source(uri="a", media_type="text/plain", digest="d", size=5, modified=7)
    stamp = Stamp(parse="p", chunk="c", tried="t")
    what = Failure(stage="embed", type="Unavailable", message="m", remedy="r", retryable=True)
    once = row.failed(what, status=Status.FAILED, source=source, by=stamp, now=1000)
    twice = once.failed(what, status=Status.FAILED, source=source, by=stamp, now=5000)
    assert (once.attempts, twice.attempts, twice.first_failed, twice.last_tried) == (1, 2, 1000, 5000)
    assert (twice.chunks, twice.pages, twice.digest, twice.is_stale, twice.coverage.gap) == (3, 2, "d", True, 0)


def test_a_document_that_was_in_hand_and_is_gone_leaves_no_rows(world: World) -> None:
    world.run()
    row = world.ledger.rows(["a.txt"])["a.txt"]
    world.ledger.put([in_hand_row(row.uri, row.document_id)])
    (world.root / "a.txt").unlink()
    report = world.run()
    assert (report.deleted, world.found("alpha"), report.account.closed) == (1, [], True)


def test_a_document_that_was_in_hand_is_finished_with_what_is_there(world: World) -> None:
    world.run()
    row = world.ledger.rows(["a.txt"])["a.txt"]
    world.ledger.put([in_hand_row(row.uri, row.document_id)])
    assert world.ledger.totals().in_hand == 1
    report = world.run()
    assert (report.indexed, world.parsed, world.embedded, report.account.closed) == (1, [], [], True)


def test_another_embedder_is_moved_to_while_readers_go_on(world: World) -> None:
    world.run()
    world.write(d="delta")
    world.stages = replace(world.stages, embedder=ToyEmbedder(model="toy-2", dim=16), made_by='{"use": "toy"}')
    report = world.run()
    assert (report.indexed, report.unchanged, report.embedded, world.parsed) == (1, 3, 6, ["d.txt 0"])
    snapshot = world.stages.index.snapshot()
    assert (snapshot.model, snapshot.dim, snapshot.made_by) == ("toy-2", 16, '{"use": "toy"}')
    assert world.run().embedded == 0


def test_a_move_to_another_embedder_that_is_stopped_leaves_readers_as_they_were(world: World) -> None:
    world.run()
    world.write(d="delta")
    stop = Stop()
    stop.set("SIGTERM")
    world.stages = replace(world.stages, embedder=ToyEmbedder(model="toy-2"))
    report = world.run(stop=stop)
    assert (report.embedded, report.waiting, report.account.closed) == (0, 1, True)
    assert world.stages.index.snapshot().model == "toy-1"
    assert world.run().embedded == 6


def test_a_touched_file_is_counted_as_such(world: World) -> None:
    world.run()
    os.utime(world.root / "a.txt", ns=(1, 1))
    report = world.run()
    assert (report.touched, report.unchanged, report.account.closed) == (1, 3, True)
