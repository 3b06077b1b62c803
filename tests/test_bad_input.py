"""What users really point it at: each gives a clear error or a failed Outcome with a remedy, and nothing is lost."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

import docpipe
from docpipe.errors import ConfigError, DocpipeError, InvalidOption, SourceError
from docpipe.pipeline.pipe import Pipe
from docpipe.types import Outcome

pytestmark = pytest.mark.slow

PIPELINE = """
version: 1
name: bad
source: {{use: load.files, path: {docs}{source}}}
stages:
  - use: parse.auto
  - {{use: chunk.layout, max_tokens: 128, overlap: 0}}
  - {embed}
index: {{use: index.lancedb, uri: {index}}}
run: {{workers: 2, timeout: {timeout}, memory_mb: 700}}
"""


class World:
    """A folder with one sound document, and a pipeline over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docs = folder / "docs"
        self.docs.mkdir()
        (self.docs / "sound.md").write_text("# Sound\n\nThe lighthouse was built in 1911.\n", encoding="utf-8")

    def open(self, *, source: str = "", timeout: float = 60, embed: str = "use: embed.hashing") -> Pipe:
        path = self.folder / "pipeline.yaml"
        facts = {
            "docs": self.docs,
            "index": self.folder / "index",
            "source": source,
            "timeout": timeout,
            "embed": embed,
        }
        path.write_text(PIPELINE.format(**facts), encoding="utf-8")
        return docpipe.open(path)

    def outcome(self, name: str, **options: float) -> Outcome:
        """Of one bad file, when all else was indexed."""
        report = self.open(**options).run()  # type: ignore[arg-type]
        assert report.indexed == 1
        (outcome,) = [item for item in (*report.failures, *report.left_out) if item.uri == name]
        assert outcome.error is not None
        assert outcome.error.remedy, outcome
        assert self.open().search("lighthouse")[0].chunk.source.uri == "sound.md"
        return outcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pdf(pages: int = 1, **options: object) -> bytes:
    document = pymupdf.open()
    for number in range(pages):
        document.new_page().insert_text((72, 360), f"Sheet {number + 1} of the manual is about valve V{number + 1}.")
    data: bytes = document.tobytes(**options)
    return data


def encrypted() -> bytes:
    return pdf(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner")


@pytest.mark.parametrize(
    ("name", "make", "kind"),
    [
        ("empty.pdf", lambda: b"", "CorruptSource"),
        ("cut.pdf", lambda: pdf()[:60], "CorruptSource"),
        ("locked.pdf", encrypted, "EncryptedSource"),
        ("not-a.pdf", lambda: b"\x00\x01\x02\x03" * 64, "CorruptSource"),
        ("program.bin", lambda: b"\x7fELF\x00\x00" * 64, "UnsupportedMedia"),
    ],
)
def test_a_file_that_cannot_be_read_has_an_outcome_with_a_remedy(
    world: World, name: str, make: Callable[[], bytes], kind: str
) -> None:
    (world.docs / name).write_bytes(make())
    outcome = world.outcome(name)
    assert outcome.error is not None
    assert outcome.error.type in (kind, "UnsupportedMedia"), outcome


def test_a_pdf_under_another_name_is_read_as_what_it_is(world: World) -> None:
    (world.docs / "report.txt").write_bytes(pdf())
    pipe = world.open()
    assert pipe.run().indexed == 2
    assert pipe.search("manual")[0].chunk.pages == (1,)


def test_a_pdf_of_3000_pages_is_indexed_to_its_last_page(world: World) -> None:
    (world.docs / "long.pdf").write_bytes(pdf(3000))
    pipe = world.open()
    report = pipe.run()
    assert (report.indexed, report.pages, report.failed) == (2, 3000, 0)
    pages = [page for hit in pipe.search("valve V2999", mode="text") for page in hit.chunk.pages]
    assert 2999 in pages


def test_invalid_utf_8_is_read_as_far_as_it_goes(world: World) -> None:
    (world.docs / "latin.txt").write_bytes("The café opens at nine. ".encode("latin-1") * 20)
    (world.docs / "broken.txt").write_bytes(b"The harbour \xff\xfe\x80 closes at ten. " * 20)
    pipe = world.open()
    report = pipe.run()
    assert (report.indexed, report.failed) == (3, 0)
    assert pipe.search("harbour", mode="text")[0].chunk.source.uri == "broken.txt"


def test_a_text_of_200_mb_is_refused_unread_by_name(world: World) -> None:
    with (world.docs / "huge.txt").open("wb") as file:
        for _ in range(200):
            file.write(b"The tide turns. " * 62_500)
    outcome = world.outcome("huge.txt")
    assert outcome.error is not None
    assert outcome.error.type == "SourceTooLarge"
    assert "max_" in outcome.error.remedy


def test_an_unreadable_file_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.docs / "dangling.md").symlink_to(world.docs / "nowhere.md")
    assert world.outcome("dangling.md").error is not None


@pytest.mark.parametrize("name", ['it\'s "quoted".md', "two\nlines.md", "报告 2025.md", "a%b_c' OR 1=1 --.md", "-k.md"])
def test_odd_names_are_indexed_replaced_and_deleted(world: World, name: str) -> None:
    path = world.docs / name
    path.write_text("The windmill was built in 1907.", encoding="utf-8")
    pipe = world.open()
    assert pipe.run().indexed == 2
    assert [hit.chunk.source.uri for hit in pipe.search("windmill", mode="text")] == [name]
    path.write_text("The watermill was built in 1908.", encoding="utf-8")
    assert pipe.run().updated == 1
    assert pipe.search("windmill", mode="text") == []
    path.unlink()
    assert pipe.run().deleted == 1
    assert pipe.search("watermill", mode="text") == []


def test_a_missing_path_is_an_error_that_names_it(world: World) -> None:
    (world.docs / "sound.md").unlink()
    world.docs.rmdir()
    with pytest.raises(SourceError) as caught:
        world.open().run()
    assert str(world.docs) in str(caught.value)
    assert caught.value.remedy


def test_an_empty_folder_is_an_error_that_says_what_to_check(world: World) -> None:
    (world.docs / "sound.md").unlink()
    with pytest.raises(SourceError, match="no file to index") as caught:
        world.open().run()
    assert "include" in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max_tokens", "max_tokns", "max_tokens"),
        ("max_tokens: 128", "max_tokens: many", "max_tokens"),
        ("chunk.layout", "chunk.layuot", "chunk.layout"),
        ("use: parse.auto", "use: embed.hashing", "parse"),
    ],
    ids=["typo in a key", "wrong type", "unknown stage", "stages that do not fit"],
)
def test_a_wrong_pipeline_file_says_where_and_what_was_meant(world: World, old: str, new: str, message: str) -> None:
    world.open()
    path = world.folder / "pipeline.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        docpipe.open(path)
    assert message in str(caught.value)
    assert "pipeline.yaml:" in str(caught.value)


def test_an_index_of_another_model_is_searched_with_its_own_and_moved_by_the_next_run(world: World) -> None:
    world.open().run()
    other = "{use: embed.hashing, dim: 64}"
    assert world.open(embed=other).search("lighthouse")
    report = world.open(embed=other).run()
    assert (report.unchanged, report.embedded > 0) == (report.account.files.found, True)
    assert world.open().search("lighthouse")


@pytest.mark.parametrize("question", ["", "   \n"])
def test_an_empty_question_is_told_so(world: World, question: str) -> None:
    pipe = world.open()
    pipe.run()
    assert pipe.search(question) == []
    with pytest.raises(DocpipeError) as caught:
        pipe.ask(question)
    assert caught.value.remedy


@pytest.mark.parametrize("question", ["lighthouse " * 9_100, "灯塔" * 50_000], ids=["English", "Chinese"])
def test_a_question_of_100000_characters_ends(world: World, question: str) -> None:
    pipe = world.open()
    pipe.run()
    assert len(pipe.search(question)) <= 8
    try:
        assert pipe.ask(question).origin in ("documents", "none")
    except DocpipeError as error:
        assert error.remedy


def test_a_filter_with_a_quote_is_a_value_and_not_a_command(world: World) -> None:
    pipe = world.open()
    pipe.run()
    assert pipe.search("lighthouse", where="uri = \"x' OR '1'='1\"") == []
    assert len(pipe.search("lighthouse", where='uri = "sound.md"')) == 1
    with pytest.raises(InvalidOption) as caught:
        pipe.search("lighthouse", where="uri = 'open")
    assert caught.value.remedy


FULL_DISK = """
import resource, signal, sys
import docpipe
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
pipe = docpipe.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    pipe.run()
except docpipe.DocpipeError as error:
    print(type(error).__name__, "|", error.remedy)
"""


def test_a_full_disk_is_told_and_loses_nothing(world: World) -> None:
    """A file that cannot grow fails as a full disk does."""
    pipe = world.open()
    pipe.run()
    (world.docs / "more.md").write_text("The breakwater was built in 1950. " * 2000, encoding="utf-8")
    command = [sys.executable, "-c", FULL_DISK, str(world.folder / "pipeline.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("IndexFailed | "), done
    assert len(done.stdout) > len("IndexFailed | \n")
    again = world.open()
    assert again.search("lighthouse")[0].chunk.source.uri == "sound.md"
    assert again.run().indexed == 1
    assert again.search("breakwater", mode="text")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 3000
