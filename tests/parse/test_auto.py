"""parse.auto: the parser for each media type, and what to do with files of no known type."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from docpipe._ids import fingerprint
from docpipe.errors import UnsupportedMedia
from docpipe.parse.auto import AutoParser
from docpipe.parse.html import HtmlParser
from docpipe.parse.markdown import MarkdownParser
from docpipe.parse.text import TextParser
from docpipe.protocols import PagedParser
from docpipe.types import Blob, BlockKind, Document, Source


@dataclass(frozen=True, kw_only=True)
class ThreePages:
    """A parser of pages that remembers nothing: its document tells what it was asked."""

    def __call__(self, blob: Blob, /) -> list[Document]:
        return [self.merge(blob.source, [self.parse_pages(blob, 0, 3)])]

    def page_count(self, blob: Blob, /) -> int:
        return 3

    def parse_pages(self, blob: Blob, start: int, stop: int, /) -> Any:
        return list(range(start, stop))

    def merge(self, source: Source, parts: Sequence[Any], /) -> Document:
        text = " ".join(str(page) for part in parts for page in part)
        return Document(id="d", source=source, text=text, pages=(), blocks=())


@pytest.mark.parametrize(
    ("media", "data", "kind", "text"),
    [
        ("text/html", "<p>a <b>b</b></p>", BlockKind.PARAGRAPH, "a b"),
        ("text/markdown", "# a *b*", BlockKind.HEADING, "a b"),
        ("text/plain", "a *b*", BlockKind.PARAGRAPH, "a *b*"),
        ("application/json", '{"a": 1}', BlockKind.PARAGRAPH, "a: 1"),
        ("text/csv", "a,b\n", BlockKind.TABLE, "<table>\n<tr><th>a</th><th>b</th></tr>\n</table>"),
        ("text/tab-separated-values", "a\tb", BlockKind.TABLE, "<table>\n<tr><th>a</th><th>b</th></tr>\n</table>"),
    ],
)
def test_the_media_type_picks_the_parser(parse: Any, media: str, data: str, kind: BlockKind, text: str) -> None:
    document = parse(AutoParser(), data, media=media)
    (block,) = document.blocks
    assert (block.kind, block.span.of(document.text)) == (kind, text)


def test_options_reach_the_parser_below(parse: Any) -> None:
    text = "SHORT TITLE\n\n" + "words that go on and on " * 10
    assert parse(AutoParser(), text).blocks[0].kind is BlockKind.HEADING
    assert parse(AutoParser(text=TextParser(headings=False)), text).blocks[0].kind is BlockKind.PARAGRAPH
    assert fingerprint(AutoParser()) != fingerprint(AutoParser(html=HtmlParser(main_content=False)))


class TestPages:
    def test_a_parser_of_pages_is_asked_for_them(self, make_blob: Callable[..., Blob]) -> None:
        parser: PagedParser = AutoParser(pdf=ThreePages())  # type: ignore[arg-type]
        blob = make_blob(b"", media="application/pdf")
        assert parser.page_count(blob) == 3
        parts = [parser.parse_pages(blob, 0, 1), parser.parse_pages(blob, 1, 3)]
        assert parser.merge(blob.source, parts) == next(iter(parser(blob)))  # type: ignore[operator]

    def test_other_files_have_none(self, make_blob: Callable[..., Blob]) -> None:
        parser = AutoParser()
        assert isinstance(parser, PagedParser)
        blob = make_blob("a")
        assert parser.page_count(blob) == 0
        with pytest.raises(TypeError, match="TextParser does not parse page by page"):
            parser.parse_pages(blob, 0, 1)


@pytest.mark.parametrize(
    ("media", "advice"),
    [
        ("application/x-ole-storage", "save it as docx, xlsx, pptx or PDF"),
        ("application/vnd.oasis.opendocument.graphics", "save it as docx, xlsx, pptx or PDF"),
        ("image/png", "parse.glm_ocr"),
        ("application/zip", "unpack them"),
        ("application/x-tar", "unpack them"),
        ("video/mp4", "leave it out with `exclude`"),
    ],
)
def test_a_type_that_no_parser_reads_is_named_with_what_to_do(
    make_blob: Callable[..., Blob], media: str, advice: str
) -> None:
    blob = make_blob(b"x", media=media, uri="folder/report.pdf")
    with pytest.raises(UnsupportedMedia) as caught:
        AutoParser()(blob)
    assert caught.value.message == f"it holds {media}, which no parser reads"
    assert advice in caught.value.remedy and "HTML, Markdown, reStructuredText, CSV, TSV, JSON" in caught.value.remedy
    assert caught.value.where == "folder/report.pdf"
    with pytest.raises(UnsupportedMedia):
        AutoParser().page_count(blob)


@pytest.mark.parametrize("name", [".dpk", "DPK", ""])
def test_what_names_no_files_is_refused_as_a_key_of_other(name: str) -> None:
    with pytest.raises(ValueError, match="names no files: write an extension in small letters"):
        AutoParser(other={name: TextParser()})


@pytest.mark.parametrize(
    ("uri", "media", "kind"),
    [
        ("a.dpk", "application/octet-stream", BlockKind.HEADING),
        ("box.zip!/b/A.DPK", "text/plain", BlockKind.HEADING),
        ("https://x.example/a.dpk?b=c.html", "text/html", BlockKind.HEADING),
        ("dpk", "text/plain", BlockKind.PARAGRAPH),
        ("a.dpk.txt", "text/plain", BlockKind.PARAGRAPH),
        ("a.bin", "application/x-dpk", BlockKind.HEADING),
    ],
)
def test_other_parsers_are_picked_by_extension_or_media_type(uri: str, media: str, kind: BlockKind) -> None:
    parser = AutoParser(other={"dpk": MarkdownParser(), "application/x-dpk": MarkdownParser()})
    source = Source(uri=uri, media_type=media, digest="d", size=3, modified=0)
    (document,) = parser(Blob(source=source, data=b"# x"))
    assert document.blocks[0].kind is kind


@dataclass(frozen=True, kw_only=True)
class Needy(MarkdownParser):
    """A parser of another package that says what it needs in a worker."""

    STARTS_PROGRAMS = ("unpacker",)

    @property
    def environment_names(self) -> tuple[str, ...]:
        return ("LITTLE_HOME",)


def test_what_other_parsers_need_in_workers_is_handed_on() -> None:
    parser = AutoParser(other={"dpk": Needy(), "dpx": Needy(), "md": MarkdownParser()})
    assert "unpacker" in parser.STARTS_PROGRAMS
    assert parser.environment_names == ("LITTLE_HOME",)
