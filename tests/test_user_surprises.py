"""Odd folders, odd pipeline files, odd questions, and jobs that nobody watches: what a user would not expect."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import docpipe
from docpipe import cli
from docpipe.chunk.layout import LayoutChunker
from docpipe.errors import ConfigError, IndexFailed, InvalidOption, SourceError
from docpipe.parse.auto import AutoParser
from docpipe.pipeline.pipe import Pipe
from docpipe.types import Blob, Source

pytestmark = pytest.mark.slow

PIPELINE = """\
version: 1
name: surprises
source: {{use: load.files, path: "{path}"}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 128, overlap: 0}}
  - use: embed.hashing
index: {{use: index.lancedb, uri: "{uri}"}}
run: {{workers: 1}}
"""


class World:
    """A folder with one document, and a pipeline beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.docs, self.file = folder, folder / "docs", folder / "p.yaml"
        self.docs.mkdir()
        (self.docs / "sound.md").write_text("# Sound\n\nThe lighthouse was built in 1911.\n", encoding="utf-8")

    def open(self, *, path: str = "docs", uri: str = "index") -> Pipe:
        self.file.write_text(PIPELINE.format(path=path, uri=uri), encoding="utf-8")
        return docpipe.open(self.file)

    def command(self, line: str) -> subprocess.CompletedProcess[str]:
        """A shell line in which `docpipe` is the command and `p.yaml` the pipeline."""
        line = line.replace("docpipe", f"'{sys.executable}' -m docpipe.cli")
        return subprocess.run(["/bin/sh", "-c", line], cwd=self.folder, capture_output=True, text=True, check=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_index_below_its_source_does_not_index_itself(world: World) -> None:
    pipe = world.open(path=".", uri="docs/index")
    assert pipe.run().indexed == 1
    again = pipe.run()
    assert (again.indexed, again.updated, again.unchanged) == (0, 0, 1)
    assert {item.uri: item.error.type for item in again.left_out if item.error} == {
        "docs/index/": "OwnFile",
        "p.yaml": "OwnFile",
    }


def test_a_link_into_the_index_is_no_document(world: World) -> None:
    (world.docs / "lock.txt").symlink_to(world.folder / "index" / "run.lock")
    pipe = world.open(path=".")
    pipe.run()
    assert "docs/lock.txt" in {item.uri for item in pipe.run().left_out}
    assert pipe.status().documents == 1


def test_an_index_in_the_very_folder_of_the_documents_is_refused(world: World) -> None:
    with pytest.raises(InvalidOption, match=r"p\.yaml:8: index\.uri: .*among the documents"):
        world.open(uri="docs/../docs")
    assert [path.name for path in world.docs.iterdir()] == ["sound.md"]


def test_an_index_that_is_deleted_under_an_open_pipe_is_an_empty_one(world: World) -> None:
    pipe = world.open()
    pipe.run()
    assert pipe.search("lighthouse")
    shutil.rmtree(world.folder / "index")
    assert pipe.search("lighthouse") == []
    assert (pipe.status().documents, pipe.failures(), pipe.plan().added) == (0, [], 1)
    assert pipe.ask("When was the lighthouse built?").origin == "none"
    assert pipe.run().indexed == 1
    assert pipe.search("lighthouse")


def test_an_index_built_anew_by_another_is_seen_by_an_open_pipe(world: World) -> None:
    service = world.open()
    service.run()
    assert service.search("lighthouse")
    shutil.rmtree(world.folder / "index")
    (world.docs / "second.md").write_text("# Two\n\nThe second lighthouse was built in 1912.\n", encoding="utf-8")
    world.open().run()
    assert {hit.chunk.source.uri for hit in service.search("lighthouse")} == {"sound.md", "second.md"}
    assert service.status().documents == 2


def test_chunks_that_were_lost_are_made_again_whatever_the_ledger_says(world: World) -> None:
    world.open().run()
    shutil.rmtree(world.folder / "index" / "chunks.lance")
    pipe = world.open()
    assert pipe.plan().added == 1
    assert pipe.run().indexed == 1
    assert pipe.search("lighthouse")


def test_a_damaged_index_says_what_to_do(world: World) -> None:
    world.open().run()
    for manifest in (world.folder / "index").rglob("*.manifest"):
        manifest.write_bytes(b"junk\n")
    for call in (world.open().status, world.open().failures, world.open().plan, world.open().run):
        with pytest.raises(IndexFailed, match="it is damaged") as caught:
            call()
        assert "move its folder away" in caught.value.remedy


def test_a_file_that_becomes_one_nobody_reads_is_no_longer_found(world: World) -> None:
    pipe = world.open()
    pipe.run()
    (world.docs / "sound.md").write_bytes(b"\x7fELF\x00\x00" * 64)
    assert pipe.run().ignored == 1
    assert pipe.search("lighthouse") == []
    assert (pipe.status().documents, pipe.status().chunks) == (0, 0)
    (world.docs / "sound.md").write_text("The lighthouse is back.", encoding="utf-8")
    assert pipe.run().failed == 0
    assert len(pipe.search("lighthouse")) == 1


@pytest.mark.parametrize("limit", [0, -1, 10**12, 2**70])
def test_a_number_of_hits_that_makes_no_sense_is_told(world: World, limit: int) -> None:
    with pytest.raises(InvalidOption, match=f"limit must be from 1 to 1,000,000, got {limit}"):
        world.open().search("lighthouse", limit=limit)


@pytest.mark.parametrize("limit", [0, -3])
def test_a_run_of_less_than_one_document_is_told(world: World, limit: int) -> None:
    with pytest.raises(InvalidOption, match="limit must be at least 1"):
        world.open().run(limit=limit)


def test_a_mode_that_does_not_exist_is_told(world: World) -> None:
    with pytest.raises(InvalidOption, match="there is no mode 'semantic'") as caught:
        world.open().search("lighthouse", mode="semantic")  # type: ignore[arg-type]
    assert "hybrid, vector, text" in caught.value.remedy


@pytest.mark.parametrize("option", ["timeout: 1e12", "workers: 100000"])
def test_a_limit_beyond_what_the_system_can_count_is_told(world: World, option: str) -> None:
    world.open()
    world.file.write_text(world.file.read_text("utf-8").replace("workers: 1", option), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"p.yaml:9: run.{option.partition(':')[0]}: .* must be at most"):
        docpipe.open(world.file)


STAGE_OF_A_SCRIPT = """
import sys
from dataclasses import dataclass, replace
import docpipe

@dataclass(frozen=True, kw_only=True)
class Nothing:
    VERSION = 1
    def __call__(self, document):
        return iter(())

pipe = docpipe.open(sys.argv[1])
try:
    docpipe.Pipe(replace(pipe.stages, chunker=Nothing())).run()
except docpipe.ConfigError as error:
    print(error.remedy)
print(pipe.run().indexed)
"""


def test_a_stage_of_the_script_itself_is_told_and_costs_no_document(world: World) -> None:
    world.open()
    command = [sys.executable, "-c", STAGE_OF_A_SCRIPT, str(world.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    remedy, indexed = done.stdout.splitlines()
    assert "module that can be imported" in remedy
    assert indexed == "1"


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_job_whose_standard_streams_are_closed_does_its_work(world: World, closed: str) -> None:
    pipe = world.open()
    assert world.command(f"docpipe run p.yaml {closed}").returncode == 0
    assert pipe.status().documents == 1


def test_a_job_whose_log_is_full_does_its_work(world: World) -> None:
    pipe = world.open()
    done = world.command("docpipe run p.yaml --json 2>/dev/full")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert pipe.status().documents == 1


@pytest.mark.parametrize(("flags", "code"), [("", 1), ("--json", 1), ("--json --where size", 2)])
def test_a_result_that_cannot_be_written_is_told(world: World, flags: str, code: int) -> None:
    world.open()
    done = world.command(f"docpipe search p.yaml lighthouse {flags} > /dev/full")
    assert done.returncode == code
    assert done.stderr.startswith("docpipe: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("place", "key"), [("docs", "source.path"), ("index", "index.uri")])
def test_an_empty_variable_does_not_stand_for_the_working_folder(
    world: World, place: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "")
    with pytest.raises(InvalidOption, match=f"{key}: .* must not be empty"):
        world.open(path="${PLACE}" if place == "docs" else "docs", uri="${PLACE}" if place == "index" else "index")


def test_a_file_from_the_far_future_is_indexed_like_any_other(world: World) -> None:
    os.utime(world.docs / "sound.md", (1.3e10, 1.3e10))  # beyond what 64 bits of nanoseconds can hold
    pipe = world.open()
    assert pipe.run().indexed == 1
    assert pipe.run().unchanged == 1
    assert len(pipe.search("lighthouse", where="modified > 2200-01-01")) == 1


@pytest.mark.parametrize("where", ["modified < 0001-01-02", "modified >= 9999-12-30", "modified = 1500-01-01"])
def test_a_date_beyond_what_the_index_holds_is_a_date(world: World, where: str) -> None:
    pipe = world.open()
    pipe.run()
    assert pipe.search("lighthouse", where=where) == []
    assert len(pipe.search("lighthouse", where=f"not {where}")) == 1


def test_a_drawing_never_replaces_its_document(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    document = world.docs / "sound.md"
    before = document.read_bytes()
    assert cli.main(["parse", str(document), "--html", str(world.docs / ".." / "docs" / "sound.md")]) == 2
    assert "would replace the document" in capsys.readouterr().err
    assert document.read_bytes() == before


def test_more_neighbours_than_can_be_counted_is_a_wrong_command(world: World) -> None:
    world.open().run()
    assert cli.main(["search", str(world.file), "lighthouse", "--context", str(10**20)]) == 2


@pytest.mark.parametrize("name", ["~", "~nobody-of-that-name"])
def test_a_tilde_that_is_no_home_is_a_name_like_any_other(world: World, name: str) -> None:
    pipe = world.open(path=f"./{name}/docs", uri=f"{name}x/index")
    with pytest.raises(SourceError, match="cannot be read") as caught:
        pipe.run()
    assert str(world.folder / name / "docs") in str(caught.value)
    assert pipe.search("lighthouse") == []


def test_a_rule_longer_than_a_chunk_costs_no_document() -> None:
    text = ("Engine room\n" + "=" * 90 + "\n" + "The pump stands at the far end. " * 5 + "\n\n") * 3
    data = text.encode()
    source = Source(uri="a.txt", media_type="text/plain", digest="d", size=len(data), modified=0)
    (document,) = AutoParser()(Blob(source=source, data=data))
    chunks = list(LayoutChunker(max_tokens=32, overlap=0, tokenizer="characters")(document))
    assert "".join(chunk.text for chunk in chunks).count("pump") == 15
    assert all(chunk.block_ids for chunk in chunks)
