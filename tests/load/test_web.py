"""A list of addresses: what is there, what changed, what is gone, and the bytes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from little_web import LittleWeb, Shown
from quick_retries import quick_retries as quick_retries
from standin import Refusal, StandIn
from toy_stages import ToyChunker, ToyParser, ToyStages

import docpipe
from docpipe._http.endpoint import Endpoint
from docpipe.errors import SourceError, SourceTooLarge, Unauthorized, UnreadableSource
from docpipe.index.memory import MemoryIndex
from docpipe.load.media import served_media_type
from docpipe.load.web import WebLoader
from docpipe.pipeline.file.options import RunOptions
from docpipe.pipeline.ingest.run import Run
from docpipe.pipeline.processes.work import Long, Work
from docpipe.pipeline.report.reports import RunReport
from docpipe.types import Entry, Outcome, Status

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
PAGE = "https://docs.example.com/guide"


@pytest.fixture
def web() -> Iterator[LittleWeb]:
    with LittleWeb() as web:
        yield web


def loader(web: LittleWeb, *paths: str, **options: Any) -> WebLoader:
    return WebLoader(urls=tuple(web.url + path for path in paths), allow_private=True, **options)


def listed(made: WebLoader) -> dict[str, Entry | Outcome]:
    return {found.uri.rpartition("/")[2]: found for found in made.entries()}


def problem(found: Entry | Outcome) -> tuple[Status, str]:
    assert isinstance(found, Outcome)
    assert found.error is not None
    assert found.error.remedy
    return found.status, found.error.message


def test_pages_are_listed_in_order_with_their_facts(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"text", headers={"last-modified": DATE})
    web.pages["/b"] = Shown(body=b"more text", etag='"1"')
    found = list(loader(web, "/b", "/a#part", "/x/../a").entries())
    assert [one.uri for one in found] == [f"{web.url}/b", f"{web.url}/a"]
    assert isinstance(found[1], Entry)
    assert (found[1].size, found[1].modified) == (4, 784_111_777 * 10**9)
    assert [one.method for one in web.asked] == ["HEAD", "HEAD"]


def test_a_page_without_facts_is_always_read_again(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"text")
    made = loader(web, "/a")
    assert listed(made) != listed(made)


def test_refresh_says_when_pages_are_read_again(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"text", etag='"1"')
    always, never = loader(web, "/a", refresh="always"), loader(web, "/a", refresh="never")
    assert listed(always) != listed(always)
    asked = len(web.asked)
    assert listed(never) == listed(never)
    assert len(web.asked) == asked


def test_each_kind_of_failure_is_told(web: LittleWeb) -> None:
    web.pages["/500"] = Shown(status=503)
    web.pages["/410"] = Shown(status=410)
    web.pages["/film"] = Shown(headers={"content-type": "video/mp4"})
    web.pages["/away"] = Shown(status=302, headers={"location": "file:///etc/passwd"})
    web.pages["/ok"] = Shown(body=b"text")
    made = loader(web, "/404", "/410", "/500", "/film", "/away", "/ok")
    found = listed(made)
    assert problem(found["404"]) == (Status.IGNORED, "the page is gone (404)")
    assert problem(found["410"]) == (Status.IGNORED, "the page is gone (410)")
    assert problem(found["500"]) == (Status.FAILED, "its server answers with an error (503)")
    assert problem(found["film"]) == (Status.IGNORED, "it is video/mp4, which holds no text")
    assert problem(found["away"])[0] is Status.FAILED
    assert isinstance(found["ok"], Entry)
    assert sorted(one.path for one in web.calls("GET")) == ["/404", "/410"]


def test_what_cannot_be_reached_failed_for_now() -> None:
    found = next(iter(WebLoader(urls=("http://127.0.0.1:1/x",), allow_private=True).entries()))
    assert problem(found)[0] is Status.FAILED
    assert isinstance(found, Outcome)
    assert found.error is not None
    assert found.error.retryable


def test_private_addresses_are_not_asked_unless_they_may_be(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"text")
    urls = (f"{web.url}/a", "http://localhost/", "ftp://example.com/", "https://me:secret@example.com/")
    found = list(WebLoader(urls=urls).entries())
    assert [problem(one)[0] for one in found] == [Status.FAILED] * 4
    assert "secret" not in repr(found)
    assert web.asked == []


def test_a_redirect_into_a_private_network_is_refused_when_it_is_read(
    web: LittleWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages["/a"] = Shown(status=302, headers={"location": "http://169.254.169.254/latest/meta-data/"})
    monkeypatch.setattr("docpipe._http.fetch.is_public", lambda ip: str(ip) == "127.0.0.1")

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr("docpipe._http.fetch.system_addresses", resolve)
    made = WebLoader(urls=(f"http://docs.example.com:{web.port}/a",))
    assert "private" in problem(next(iter(made.entries())))[1]
    entry = Entry(uri="x", location=made.urls[0], size=0, modified=1)
    with pytest.raises(UnreadableSource, match="private or reserved network"):
        made.read(entry)
    assert len(web.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 405, 406, 429, 501])
def test_a_server_that_refuses_head_requests_is_asked_when_the_page_is_read(web: LittleWeb, status: int) -> None:
    web.pages["/a"] = Shown(status=status)
    entry = listed(loader(web, "/a"))["a"]
    assert isinstance(entry, Entry)
    with pytest.raises(UnreadableSource, match=f"does not give it \\({status}\\)") as caught:
        loader(web, "/a").read(entry)
    assert caught.value.remedy
    web.pages["/a"] = Shown(body=b"text")
    assert loader(web, "/a").read(entry).data == b"text"


def test_a_page_that_only_head_requests_miss_is_not_gone(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(raw=lambda out: out.write(answers.pop(0)))
    answers = [b"HTTP/1.1 404 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\ntext"]
    assert isinstance(listed(loader(web, "/a"))["a"], Entry)


def test_the_bytes_come_with_type_and_digest(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"# Title", headers={"content-type": "text/markdown; charset=utf-8"}, etag="1")
    entry = listed(loader(web, "/a"))["a"]
    assert isinstance(entry, Entry)
    blob = loader(web, "/a").read(entry)
    assert blob.data == b"# Title"
    assert (blob.source.uri, blob.source.media_type) == (f"{web.url}/a", "text/markdown")
    assert (blob.source.size, blob.source.modified) == (entry.size, entry.modified)


def test_a_long_file_is_fetched_once_for_all_its_parts(web: LittleWeb) -> None:
    web.pages["/a.txt"] = Shown(body=b"page\f" * 100, etag="1")
    made = loader(web, "/a.txt")
    entry = listed(made)["a.txt"]
    assert isinstance(entry, Entry)
    work = Work(loaders=(made,), parser=ToyParser(), chunker=ToyChunker())
    long = work.open(0, entry, "")
    assert isinstance(long, Long)
    for start in range(0, long.pages, long.part):
        work.part(0, entry, long.source.digest, start, start + long.part)
    assert len(web.calls("GET")) == 1


def test_a_page_is_fetched_by_the_main_process_for_its_worker_and_no_other(web: LittleWeb) -> None:
    web.pages["/a.txt"] = Shown(body=b"the page", etag="1")
    made = loader(web, "/a.txt", "/b.txt")
    entry = listed(made)["a.txt"]
    assert isinstance(entry, Entry)
    work = Work(loaders=(made,), parser=ToyParser(), chunker=ToyChunker())
    assert work.answer("fetch", (0, entry), (0, entry, "")).data == b"the page"
    other = replace(entry, location=f"{web.url}/b.txt")
    for given in ((0, other), (1, entry)):
        with pytest.raises(LookupError, match="not its call's"):
            work.answer("fetch", given, (0, entry, ""))


def test_a_text_comes_in_utf_8_where_only_its_server_knows_the_encoding(web: LittleWeb) -> None:
    text = "Русский текст о кораблях"
    web.pages["/a"] = Shown(body=text.encode("koi8-r"), headers={"content-type": "text/html; charset=KOI8-R"})
    web.pages["/b"] = Shown(body=text.encode(), headers={"content-type": "text/plain; charset=iso-8859-1"})
    web.pages["/c"] = Shown(body=text.encode("cp1251"), headers={"content-type": "text/plain; charset=nonsense"})
    made = loader(web, "/a", "/b", "/c")
    blobs = {name: made.read(entry) for name, entry in listed(made).items() if isinstance(entry, Entry)}
    assert blobs["a"].data.decode("utf-8-sig") == text
    assert blobs["b"].data.decode() == text
    assert blobs["a"].source.media_type == "text/html"


@pytest.mark.parametrize(
    ("head", "declared", "path", "media"),
    [
        (b"%PDF-1.7", "text/html", "/x", "application/pdf"), (b"plain words", "text/html", "/x", "text/html"),
        (b"# Title", "text/plain", "/readme.md", "text/markdown"), (b"words", "text/plain", "/x", "text/plain"),
        (b"a,b", "text/csv", "/export", "text/csv"), (b"<html>", "", "/x.php", "text/html"),
        (b"<!doctype html><html>", "application/octet-stream", "/a/", "text/html"),
        (b"\x89PNG\r\n\x1a\n", "text/plain", "/x", "image/png"),
    ],
)  # fmt: skip
def test_the_bytes_decide_on_the_type_then_the_server_then_the_name(
    head: bytes, declared: str, path: str, media: str
) -> None:
    assert served_media_type(head, declared, path) == media


def test_too_large_pages_are_refused(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"x" * 2000, etag="1")
    made = loader(web, "/a", max_mb=0.001)
    entry = listed(made)["a"]
    assert isinstance(entry, Entry)
    with pytest.raises(SourceTooLarge, match="more than 1,000 bytes") as caught:
        made.read(entry)
    assert "max_mb" in caught.value.remedy


def test_addresses_come_from_a_file_too(web: LittleWeb, tmp_path: Path) -> None:
    web.pages["/a"] = web.pages["/b"] = Shown(body=b"text")
    file = tmp_path / "urls.txt"
    file.write_text(f"\ufeff# pages\n\n  {web.url}/a  \n{web.url}/b\n{web.url}/a\n", "utf-8")
    assert list(listed(WebLoader(path=str(file), allow_private=True))) == ["a", "b"]
    for bad in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(SourceError, match="list of addresses"):
            list(WebLoader(path=str(bad)).entries())


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "urls is missing"), ({"urls": "https://example.com"}, "urls must be a list"),
     ({"urls": ("x",), "max_mb": 0.0}, "max_mb"), ({"urls": ("x",), "timeout": 0}, "timeout"),
     ({"urls": ("x",), "via": "reader", "allow_private": True}, "allow_private needs")],
)  # fmt: skip
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        WebLoader(**options)


def test_many_pages_are_asked_at_once(web: LittleWeb) -> None:
    def slow(out: Any) -> None:
        time.sleep(0.1)
        out.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    paths = [f"/{number}" for number in range(12)]
    web.pages.update(dict.fromkeys(paths, Shown(raw=slow)))
    begun = time.monotonic()
    assert len(listed(loader(web, *paths))) == 12
    assert time.monotonic() - begun < 0.9


def by_reader(**options: Any) -> WebLoader:
    return WebLoader(urls=(PAGE,), via="reader", refresh="never", timeout=9, **options)


def first(made: WebLoader) -> Entry:
    found = next(iter(made.entries()))
    assert isinstance(found, Entry)
    return found


def test_the_reader_gives_markdown_with_its_title(platform: StandIn) -> None:
    platform.pages[PAGE] = {
        "title": "A\nguide",
        "content": "Clean the hull.\n",
        "publishedTime": "2025-04-02T08:00:00Z",
    }
    made = by_reader()
    blob = made.read(first(made))
    assert blob.data == b"---\ntitle: A guide\npublished: 2025-04-02\n---\n\nClean the hull.\n"
    assert (blob.source.uri, blob.source.media_type) == (PAGE, "text/markdown")
    sent = platform.calls("/reader")[0].body
    assert (sent["url"], sent["no_cache"], sent["timeout"]) == (PAGE, True, 9)


def test_a_page_that_the_reader_cannot_read_failed_for_now(platform: StandIn, quick_retries: None) -> None:
    made = by_reader(service=Endpoint(attempts=1))
    entry = first(made)
    for reply in (Refusal(code="1234"), {"title": "x", "content": ""}):
        platform.pages[PAGE] = reply
        with pytest.raises(UnreadableSource) as caught:
            made.read(entry)
        assert caught.value.retryable
        assert caught.value.remedy
    platform.pages[PAGE] = "x" * 5000
    with pytest.raises(SourceTooLarge, match="max_mb"):
        by_reader(max_mb=0.001).read(entry)


def test_the_reader_needs_a_key_before_anything_is_listed(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY")
    with pytest.raises(Unauthorized, match="ZAI_API_KEY"):
        list(by_reader().entries())


def test_the_reader_is_asked_where_this_computer_cannot_go(platform: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no network")

    monkeypatch.setattr("docpipe._http.fetch.system_addresses", resolve)
    made = WebLoader(urls=("https://docs.example.com/", "http://10.0.0.1/"), via="reader")
    found = list(made.entries())
    assert isinstance(found[0], Entry)
    assert problem(found[1])[0] is Status.FAILED


def test_a_pipeline_file_reads_the_web(web: LittleWeb, tmp_path: Path) -> None:
    page = b"<!doctype html><html><body><h1>Tower</h1><p>The lighthouse was built in 1911.</p></body></html>"
    web.pages["/tower"] = Shown(body=page, headers={"content-type": "text/html"}, etag='"1"')
    (tmp_path / "urls.txt").write_text(f"{web.url}/tower\n", "utf-8")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE, "utf-8")
    pipe = docpipe.open(tmp_path / "pipeline.yaml")
    assert pipe.run().indexed == 1
    (citation,) = pipe.ask("When was the lighthouse built?").citations
    assert (citation.uri, citation.verified) == (f"{web.url}/tower", True)
    web.asked.clear()
    assert pipe.run().unchanged == 1
    assert [one.method for one in web.asked] == ["HEAD"]


PIPELINE = """
version: 1
source: {use: load.web, path: urls.txt, allow_private: true}
stages:
  - use: parse.auto
  - {use: chunk.layout, max_tokens: 200, overlap: 0}
  - use: embed.hashing
index: {use: index.memory}
chat: {use: chat.extractive, reader: none}
"""


class World:
    """A little web, an index that outlives runs, and runs."""

    def __init__(self, web: LittleWeb, *paths: str, **options: Any) -> None:
        self.web = web
        self.stages = ToyStages(loaders=(loader(web, *paths, **options),), index=MemoryIndex())

    def run(self) -> RunReport:
        self.web.asked.clear()
        return Run(self.stages, RunOptions(workers=1, timeout=20))("toy")

    def found(self, word: str) -> set[str]:
        index = self.stages.index
        chunks = index.fetch([chunk_id for chunk_id, _ in index.search_text(word, limit=20)])
        return {chunk.source.uri.rpartition("/")[2] for chunk in chunks.values()}

    def read(self) -> list[str]:
        return [one.path for one in self.web.calls("GET")]


def test_a_run_reads_again_only_what_changed(web: LittleWeb) -> None:
    web.pages["/a"] = Shown(body=b"a ferry crosses", etag='"1"')
    web.pages["/b"] = Shown(body=b"a bridge stands", headers={"last-modified": DATE})
    web.pages["/c"] = Shown(body=b"a tunnel leads")
    world = World(web, "/a", "/b", "/c")
    first_run = world.run()
    assert (first_run.indexed, sorted(world.read())) == (3, ["/a", "/b", "/c"])
    again = world.run()
    assert (again.unchanged, world.read()) == (3, ["/c"])
    web.pages["/a"] = Shown(body=b"a ferry sinks", etag='"2"')
    changed = world.run()
    assert (changed.updated, sorted(world.read())) == (1, ["/a", "/c"])
    assert world.found("sinks") == {"a"}
    assert world.found("crosses") == set()


def test_a_run_removes_what_is_gone_and_keeps_what_cannot_be_asked(web: LittleWeb) -> None:
    for name in "abc":
        web.pages[f"/{name}"] = Shown(body=f"words of {name}".encode(), etag="1")
    world = World(web, "/a", "/b", "/c")
    world.run()
    web.pages["/a"] = Shown(status=404)
    web.pages["/b"] = Shown(status=503)
    report = world.run()
    assert (report.deleted, report.failed) == (1, 1)
    assert world.found("words") == {"b", "c"}
    web.pages["/b"] = Shown(body=b"words of b", etag="1")
    assert world.run().unchanged == 2
