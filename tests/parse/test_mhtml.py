"""Web pages saved with all their parts."""

import base64
from typing import Any

import pytest

from docpipe.errors import CorruptSource
from docpipe.load.media import media_type
from docpipe.parse.html import HtmlParser
from docpipe.parse.mhtml import MhtmlParser
from docpipe.types import BlockKind

HEAD = (
    "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/a\r\nSubject: =?utf-8?Q?Caf=C3=A9s?=\r\n"
    "Date: Mon, 1 Jan 2024 10:00:00 -0000\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/related; type="text/html"; boundary="B"\r\n\r\n'
)


def saved(page: bytes, *, charset: str = "utf-8", kind: str = "text/html") -> bytes:
    part = f"--B\r\nContent-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    picture = "--B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--B--\r\n"
    return (HEAD + part).encode() + base64.encodebytes(page) + picture.encode()


def test_the_page_is_read_and_where_it_is_from_is_kept(parse: Any, outline: Any) -> None:
    document = parse(MhtmlParser(), saved("<h1>Cafés</h1><p>Open till nine.</p>".encode()), media="multipart/related")
    assert outline(document) == [(BlockKind.HEADING, 1, "Cafés"), (BlockKind.PARAGRAPH, 0, "Open till nine.")]
    assert document.metadata["url"] == "https://example.org/a"
    assert document.metadata["title"] == "Cafés" and document.metadata["saved"].startswith("2024-01-01T10:00:00")
    assert "iVBOR" not in document.text


def test_its_encoding_is_the_one_that_its_part_declares(parse: Any) -> None:
    page = "<p>Сохранённая страница о маяке</p>".encode("cp1251")
    document = parse(MhtmlParser(), saved(page, charset="windows-1251"), media="multipart/related")
    assert document.text == "Сохранённая страница о маяке"


def test_options_reach_the_parser_of_html(parse: Any) -> None:
    page = saved(b'<p>See <a href="https://example.org/b">there</a>.</p>')
    parser = MhtmlParser(html=HtmlParser(link_targets=True))
    assert parse(parser, page, media="multipart/related").text == "See there <https://example.org/b>."


@pytest.mark.parametrize("name", ["a.mht", "a.eml", "a"])
def test_it_is_known_by_what_it_holds(name: str) -> None:
    assert media_type(saved(b"<p>x"), name) == "multipart/related"


@pytest.mark.parametrize(
    "data",
    [b"", b"no headers", HEAD.encode(), saved(b"x", kind="text/css"), saved(b"x")[:200]],
    ids=["empty", "words", "head", "no page", "cut"],
)
def test_a_file_without_a_page_is_damaged(parse: Any, data: bytes) -> None:
    with pytest.raises(CorruptSource, match="it holds no web page"):
        parse(MhtmlParser(), data, media="multipart/related")


def test_parts_within_parts_without_end_are_damage_or_a_page(parse: Any) -> None:
    deep = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(5_000))
    with pytest.raises(CorruptSource):
        parse(MhtmlParser(), f"MIME-Version: 1.0\r\n{deep}".encode(), media="multipart/related")
