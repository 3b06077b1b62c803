"""Runs over files that hold files: each member is a document of its own."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import Fragile, Killed
from packed import gzipped, mail, mailbox, put, tarred, zipped
from toy_stages import ToyParser
from toy_world import World

from docpipe.errors import UnreadableSource
from docpipe.index.memory import MemoryIndex
from docpipe.load.files import FileLoader
from docpipe.parse.auto import AutoParser
from docpipe.pipeline import proofs
from docpipe.pipeline.golden.tracing import listed
from docpipe.pipeline.ingest import inside
from docpipe.pipeline.ingest.plan import Retry, Terms
from docpipe.pipeline.ingest.planning import prepare
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.report.reports import RunReport
from docpipe.pipeline.single import parse_file


class Packed(World):
    """A folder of archives; each file that is written is a second younger than the one before."""

    def __init__(self, folder: Path, **options: Any) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, MemoryIndex())
        self.stages = replace(self.stages, parser=ToyParser())
        self.options = replace(self.options, workers=1)
        self.load(**options)

    def load(self, **options: Any) -> None:
        """Read the folder with these options."""
        self.stages = replace(self.stages, loaders=(FileLoader(path=str(self.root), **options),))

    def put(self, name: str, data: bytes | str) -> None:
        self._modified += 10**9
        put(self.root / name, data, seconds=self._modified // 10**9)

    def plan(self) -> Mapping[str, str]:
        """What a run would do, by uri."""
        found = prepare(self.stages, self.options, Terms(now=2e9)).plan
        return {item.uri: item.action for item in found.items}

    @property
    def held(self) -> dict[str, str]:
        """Texts of the index by uri, without those of archives, which are lists of names."""
        index = self.stages.index
        ids = index.chunk_ids(list(index.document_ids()))
        chunks = [chunk for some in ids.values() for chunk in index.fetch(some).values()]
        around = {chunk.source.uri.rpartition("!/")[0] for chunk in chunks}
        return {chunk.source.uri: chunk.text for chunk in chunks if chunk.source.uri not in around}

    @property
    def statuses(self) -> dict[str, str]:
        return {uri: row.status for uri, row in self.ledger.known().items()}


@pytest.fixture
def world(tmp_path: Path) -> Packed:
    return Packed(tmp_path / "world")


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Uris of the files that were opened to see what is inside them."""
    seen: list[str] = []
    call = inside.Opening.__call__

    def counted(self: inside.Opening, asked: Any) -> Any:
        seen.extend(entry.uri for _, entry in asked)
        return call(self, asked)

    monkeypatch.setattr(inside.Opening, "__call__", counted)
    return seen


def sums(report: RunReport) -> tuple[int, int, int, int, int]:
    assert report.account.closed, report.account
    return report.indexed, report.updated, report.unchanged, report.deleted, report.failed


def test_members_are_documents_and_an_archive_that_stays_is_not_opened_again(
    world: Packed, openings: list[str]
) -> None:
    world.put("a.txt", "alpha")
    world.put("box.zip", zipped({"b.txt": "beta", "in.zip": zipped({"c.txt": "gamma"})}))
    assert sums(world.run()) == (5, 0, 0, 0, 0)
    assert world.held == {"a.txt": "alpha", "box.zip!/b.txt": "beta", "box.zip!/in.zip!/c.txt": "gamma"}
    assert openings == ["box.zip", "box.zip!/in.zip"]
    openings.clear()
    report = world.run()
    assert (sums(report), openings) == ((0, 0, 5, 0, 0), [])
    assert report.account.files.found == 5


def test_a_folder_without_containers_starts_no_process_to_open_any(world: Packed, openings: list[str]) -> None:
    world.put("a.txt", "alpha")
    world.run()
    assert openings == []


def test_only_the_members_that_changed_are_read(world: Packed, openings: list[str]) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "beta", "in.zip": zipped({"c.txt": "gamma"})}))
    world.run()
    openings.clear()
    world.put(
        "box.zip", zipped({"a.txt": "alpha", "b.txt": "BETA", "d.txt": "delta", "in.zip": zipped({"c.txt": "gamma"})})
    )
    report = world.run()
    assert (sums(report), sorted(world.embedded)[:2]) == ((1, 2, 3, 0, 0), ["BETA", world.embedded[1]])
    assert openings == ["box.zip"]
    assert world.held["box.zip!/b.txt"] == "BETA"


def test_a_member_that_is_gone_is_deleted_and_one_that_moved_is_renamed(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "betas"}))
    world.run()
    world.put("box.zip", zipped({"folder/a.txt": "alpha"}))
    report = world.run()
    assert (report.renamed, report.deleted) == (1, 1)
    assert (world.held, report.account.closed) == ({"box.zip!/folder/a.txt": "alpha"}, True)


def test_a_file_that_is_taken_out_of_an_archive_is_renamed(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha"}))
    world.run()
    (world.root / "box.zip").unlink()
    world.put("a.txt", "alpha")
    report = world.run()
    assert (report.renamed, world.held) == (1, {"a.txt": "alpha"})
    assert "alpha" not in world.embedded


def test_a_container_that_is_gone_takes_its_members_with_it(world: Packed) -> None:
    world.put("a.txt", "alpha")
    world.put("box.zip", zipped({"b.txt": "beta", "in.zip": zipped({"c.txt": "gamma"})}))
    world.run()
    (world.root / "box.zip").unlink()
    assert sums(world.run()) == (0, 0, 1, 4, 0)
    assert list(world.statuses) == ["a.txt"]


def test_a_container_that_becomes_a_plain_file_loses_its_members(world: Packed) -> None:
    world.put("box.zip", zipped({"b.txt": "beta"}))
    world.run()
    world.put("box.zip", "only a text")
    assert sums(world.run()) == (0, 1, 0, 1, 0)
    assert world.held == {"box.zip": "only a text"}


def test_a_container_that_cannot_be_opened_fails_and_its_members_stay(world: Packed, openings: list[str]) -> None:
    whole = zipped({"b.txt": "beta", "c.txt": "gamma"})
    world.put("box.zip", whole)
    world.run()
    world.put("box.zip", whole[:-40])
    report = world.run()
    assert [(one.uri, one.error.type) for one in report.failures if one.error] == [("box.zip", "CorruptSource")]
    assert sums(report) == (0, 0, 0, 0, 1)
    openings.clear()
    assert sums(world.run()) == (0, 0, 0, 0, 1)
    assert openings == []  # it failed for good
    assert world.held == {"box.zip!/b.txt": "beta", "box.zip!/c.txt": "gamma"}
    world.put("box.zip", whole)
    assert sums(world.run())[2:] == (2, 0, 0)


def test_one_bad_member_costs_itself(world: Packed, openings: list[str]) -> None:
    world.put(
        "box.zip", zipped({"good.txt": "alpha", "bad.txt": "CORRUPT", "../x.txt": "evil", "deep.zip": b"PK\x03\x04"})
    )
    report = world.run()
    assert {one.uri for one in report.failures} == {"box.zip!/bad.txt", "box.zip!/%2E%2E/x.txt", "box.zip!/deep.zip"}
    assert sums(report) == (2, 0, 0, 0, 3)
    openings.clear()
    report = world.run()
    assert (sums(report), openings) == ((0, 0, 2, 0, 3), [])
    assert world.held == {"box.zip!/good.txt": "alpha"}


def test_a_member_that_crashes_its_worker_costs_itself(world: Packed) -> None:
    world.put("box.tar.gz", tarred({"a.txt": "alpha", "bad.txt": "CRASH", "z.txt": "omega"}, mode="w:gz"))
    report = world.run()
    assert [(one.uri, one.error.type) for one in report.failures if one.error] == [
        ("box.tar.gz!/bad.txt", "WorkerDied")
    ]
    assert world.held == {"box.tar.gz!/a.txt": "alpha", "box.tar.gz!/z.txt": "omega"}


def test_a_file_in_two_archives_is_parsed_once(world: Packed) -> None:
    world.put("one.zip", zipped({"a.txt": "alpha\fbeta"}))
    world.run()
    world.put("two.tar", tarred({"other.txt": "alpha\fbeta"}))
    report = world.run()
    assert (report.indexed, report.pages) == (2, 1)  # the page of the new list of names only
    assert report.reused + report.embedded == report.chunks


def test_attached_files_of_mails_in_a_mailbox_are_documents(world: Packed) -> None:
    world.put("Inbox", mailbox(mail("One"), mail("Two", {"a.txt": b"alpha"}, number=2)))
    report = world.run()
    assert report.indexed == 4
    assert world.held["Inbox!/2@example.org.eml!/a.txt"] == "alpha"


def test_bytes_are_compared_where_that_is_asked_for(world: Packed, openings: list[str]) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha"}))
    world.options = replace(world.options, detect="digest")
    world.run()
    openings.clear()
    assert sums(world.run()) == (0, 0, 2, 0, 0)
    assert openings == ["box.zip"]


def test_too_many_files_in_all_levels_close_the_one_that_is_too_much(world: Packed) -> None:
    world.load(max_members=5)
    inner = zipped({"1.txt": "one", "2.txt": "two"})
    world.put("box.zip", zipped({"a.zip": inner, "b.zip": inner, "c.txt": "gamma"}))
    report = world.run()
    assert [(one.uri, one.error.type) for one in report.failures if one.error] == [("box.zip!/b.zip", "SourceTooLarge")]
    assert sorted(world.held) == ["box.zip!/a.zip!/1.txt", "box.zip!/a.zip!/2.txt", "box.zip!/c.txt"]


def test_what_may_be_inside_can_be_changed_by_options(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "beta"}))
    world.put("FOREIGN", "x")
    world.run()
    world.load(exclude=("**/b.txt",))
    assert world.run().deleted == 1
    world.load(exclude=())
    assert world.run().indexed == 1
    world.load(unpack=False)
    assert world.run().deleted == 2
    assert not [uri for uri in world.held if "!/" in uri]


def test_a_plan_tells_what_happens_inside(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "beta"}))
    assert world.plan() == {"box.zip": "add", "box.zip!/a.txt": "add", "box.zip!/b.txt": "add"}
    world.run()
    assert world.plan() == {}
    world.put("box.zip", zipped({"a.txt": "ALPHA"}))
    assert world.plan() == {"box.zip": "change", "box.zip!/a.txt": "change", "box.zip!/b.txt": "delete"}
    world.put("broken.gz", gzipped(b"x" * 1000)[:-9])
    assert world.plan()["broken.gz"] == "add"


def test_an_archive_that_is_gone_with_most_documents_is_not_deleted_unasked(world: Packed) -> None:
    world.put("a.txt", "alpha")
    world.put("box.zip", zipped({f"{number}.txt": f"text {number}" for number in range(40)}))
    world.run()
    (world.root / "box.zip").unlink()
    with pytest.raises(Exception, match="41 of 42"):
        world.run()


def test_a_run_with_a_limit_goes_on_with_the_rest(world: Packed) -> None:
    world.put("box.zip", zipped({f"{number}.txt": f"text {number}" for number in range(5)}))
    for _ in range(3):
        world.run(limit=2)
    assert len(world.held) == 5
    assert sums(world.run()) == (0, 0, 6, 0, 0)


def changed_in_place(world: Packed) -> None:
    world.put(
        "box.zip", zipped({"a.txt": "ALPHA", "in.zip": zipped({"n.txt": "nu", "o.txt": "omikron"}), "new.txt": "new"})
    )


def shrunk(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha"}))


def gone(world: Packed) -> None:
    (world.root / "box.zip").unlink()


def moved(world: Packed) -> None:
    (world.root / "box.zip").rename(world.root / "other.zip")


@pytest.mark.slow
@pytest.mark.parametrize("change", [changed_in_place, shrunk, gone, moved])
def test_whatever_commit_ends_a_run_the_next_one_ends_where_a_new_index_would(
    change: Callable[[Packed], None], tmp_path: Path
) -> None:
    fresh: Packed | None = None
    for writes in range(20):
        world = Packed(tmp_path / str(writes))
        world.put("z.txt", "zeta")
        world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "beta", "in.zip": zipped({"n.txt": "nu"})}))
        world.run()
        change(world)
        if fresh is None:
            fresh = Packed(tmp_path / "fresh")
            fresh.stages = replace(fresh.stages, loaders=world.stages.loaders)
            fresh.run()
        died = dies_after(world, writes)
        assert world.run().account.closed
        assert (world.held, world.statuses) == (fresh.held, fresh.statuses), writes
        assert world.run().unchanged == len(world.statuses)
        if not died:
            return
    pytest.fail("a run with so many writes")


@pytest.mark.slow
@pytest.mark.parametrize("writes", range(8))
def test_a_first_run_that_is_killed_is_finished_by_the_next(writes: int, tmp_path: Path) -> None:
    world = Packed(tmp_path / "world")
    world.options = replace(world.options, batch_chunks=1)
    world.put("box.zip", zipped({"a.txt": "alpha", "b.txt": "beta", "in.zip": zipped({"n.txt": "nu"})}))
    assert dies_after(world, writes)
    world.run()
    assert world.held == {"box.zip!/a.txt": "alpha", "box.zip!/b.txt": "beta", "box.zip!/in.zip!/n.txt": "nu"}
    assert world.run().unchanged == 5


def dies_after(world: Packed, writes: int) -> bool:
    """Whether a run died before it had done more writes than these."""
    stages = replace(world.stages, index=Fragile(world.stages.index, after=writes))
    try:
        Run(stages, world.options)("toy")
    except Killed:
        return True
    return False


def test_a_failed_member_is_tried_again_when_it_is_asked_for_without_opening_the_rest(
    world: Packed, openings: list[str]
) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha", "bad.txt": "DEFECT"}))
    world.run()
    openings.clear()
    report = world.run(retry=Retry(every=True))
    assert (report.unchanged, report.failed, openings) == (2, 1, [])


def test_a_folder_beside_a_file_of_its_name_is_told_apart(world: Packed) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha"}))
    world.put("box.zip!/a.txt", "other")
    report = world.run()
    assert [one.error.type for one in report.failures if one.error] == ["NameCollision"]
    assert world.held["box.zip!/a.txt"] == "alpha"


def test_what_became_of_a_file_inside_another_is_told(tmp_path: Path) -> None:
    inner = zipped({"report.txt": "alpha"})
    put(tmp_path / "docs/box.zip", zipped({"in.zip": inner, ".hidden": "x", "bad.gz": b"\x1f\x8b"}), seconds=1)
    source = FileLoader(path=str(tmp_path / "docs"))
    said = {
        uri: (look := listed([source], uri)).said + look.remedy
        for uri in (
            "box.zip!/in.zip!/report.txt",
            "box.zip!/in.zip!/reports.txt",
            "box.zip!/.hidden",
            "box.zip!/bad.gz!/x",
        )
    }
    found, missing, hidden, unopened = said.values()
    assert found == "found, 5 bytes"
    assert missing.startswith("box.zip!/in.zip holds no such file") and "did you mean" in missing
    assert "begins with a dot" in hidden
    assert "box.zip!/bad.gz cannot be opened" in unopened


def test_one_file_inside_another_is_parsed(tmp_path: Path) -> None:
    put(tmp_path / "box.zip", zipped({"in.zip": zipped({"report.md": "# Alpha\n\nbeta"})}), seconds=1)
    blob, document = parse_file(tmp_path / "box.zip!/in.zip!/report.md", pipeline=None, environment={})
    assert (blob.source.uri, "beta" in document.text) == ("box.zip!/in.zip!/report.md", True)
    _, names = parse_file(tmp_path / "box.zip", pipeline=None, environment={})
    assert "in.zip" in names.text
    with pytest.raises(UnreadableSource, match="no longer in the file"):
        parse_file(tmp_path / "box.zip!/none.md", pipeline=None, environment={})


def test_a_cited_file_inside_another_is_read_again(tmp_path: Path) -> None:
    put(tmp_path / "docs/box.zip", zipped({"in.zip": zipped({"a.txt": "alpha"})}), seconds=1)
    put(tmp_path / "docs/b.txt", "beta", seconds=1)
    found = proofs._blobs(
        [FileLoader(path=str(tmp_path / "docs"))], {"b.txt", "box.zip!/in.zip!/a.txt", "box.zip!/none"}
    )
    assert {uri: blob if isinstance(blob, str) else blob.data for uri, blob in found.items()} == {
        "b.txt": b"beta",
        "box.zip!/in.zip!/a.txt": b"alpha",
        "box.zip!/none": "it is no longer in the file that held it",
    }


def test_a_locked_file_is_tried_again_once_its_password_is_there(
    world: Packed, monkeypatch: pytest.MonkeyPatch, openings: list[str]
) -> None:
    import pymupdf

    page = pymupdf.open()
    page.new_page().insert_text((72, 72), "alpha")
    locked = page.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="sesame", owner_pw="owner")
    world.stages = replace(world.stages, parser=AutoParser())
    world.load(passwords=("FIRST_PASSWORD", "SECOND_PASSWORD"))
    world.put("box.zip", zipped({"a.pdf": locked}))
    report = world.run()
    assert [one.error.type for one in report.failures if one.error] == ["EncryptedSource"]
    monkeypatch.setenv("FIRST_PASSWORD", "wrong")
    assert "none of the given" in str(world.run().failures)
    assert world.run().failed == 1
    openings.clear()
    monkeypatch.setenv("SECOND_PASSWORD", "sesame")
    report = world.run()
    assert (report.indexed, report.failed, openings) == (1, 0, [])
    assert world.held["box.zip!/a.pdf"].strip() == "alpha"
    assert "sesame" not in str(world.ledger.table.columns())


def test_zip_files_whose_names_differ_by_case_only_are_both_kept(world: Packed) -> None:
    with zipfile.ZipFile(world.root / "box.zip", "w") as archive:
        archive.writestr("a.txt", "alpha")
        archive.writestr("A.txt", "Alpha")
    world.run()
    assert world.held == {"box.zip!/a.txt": "alpha", "box.zip!/A (2).txt": "Alpha"}


def test_another_parser_reads_all_members_again_and_opens_nothing_to_list_them(
    world: Packed, openings: list[str]
) -> None:
    world.put("box.tar.gz", tarred({"a.txt": "alpha", "b.txt": "beta"}, mode="w:gz"))
    world.run()
    openings.clear()
    world.stages = replace(world.stages, parser=ToyParser(upper=True))
    assert sums(world.run()) == (0, 3, 0, 0, 0)
    assert (world.held, openings) == ({"box.tar.gz!/a.txt": "ALPHA", "box.tar.gz!/b.txt": "BETA"}, [])
    assert sums(world.run()) == (0, 0, 3, 0, 0)


def test_a_full_run_opens_everything_again(world: Packed, openings: list[str]) -> None:
    world.put("box.zip", zipped({"a.txt": "alpha"}))
    world.run()
    openings.clear()
    assert sums(world.run(full=True)) == (0, 2, 0, 0, 0)
    assert openings == ["box.zip"]
