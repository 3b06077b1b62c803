"""Links of documents: told with their words, never fetched; scripts and data are dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.html import HtmlParser
from docpipe.parse.links import LONGEST_ADDRESS, link_of
from docpipe.parse.markdown import MarkdownParser
from docpipe.types import Blob, Document, Link, Source


def parsed(text: str, kind: str, *, main_content: bool = True) -> Document:
    data = text.encode()
    source = Source(uri=f"a.{kind}", media_type=f"text/{kind}", digest="d", size=len(data), modified=0)
    parser = HtmlParser(main_content=main_content) if kind == "html" else MarkdownParser()
    (found,) = parser(Blob(source=source, data=data))
    return found


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVa\nScript:alert(1)",
        "\x01javascript:alert(1)",
        "java\u200bscript:x",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "C:\\secret.doc",
        "blob:x",
        "#part",
        "",
        "  ",
        "https:",
        "https://x.example/" + "a" * LONGEST_ADDRESS,
        "d" * 10**6,
    ],
    ids=lambda url: ascii(url)[:24],
)
def test_what_leads_nowhere_else_is_no_link(url: str) -> None:
    assert link_of("words", url) is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.example/a b", "https://x.example/a%20b"),
        (" HTTP://x.example ", "HTTP://x.example"),
        ("mailto:a@x.example", "mailto:a@x.example"),
        ("../other.html#part", "../other.html#part"),
        ("//x.example/a", "//x.example/a"),
        ("?page=2", "?page=2"),
        ("资料/第一章.pdf", "资料/第一章.pdf"),
    ],
)
def test_an_address_stays_as_the_document_has_it(url: str, kept: str) -> None:
    assert link_of(" some\n words ", url) == Link("some words", kept)


@given(st.text(), st.text())
def test_any_address_is_a_link_without_blanks_and_scripts_or_none(words: str, url: str) -> None:
    link = link_of(words, url)
    assert link is None or (link.url.split() == [link.url] and not link.url.lower().startswith("javascript:"))


def test_links_of_a_page_stand_in_the_order_of_its_text_each_once() -> None:
    page = """<body><nav><a href="/menu">Menu</a></nav><main><h1>Tides</h1>
    <p>See <a href="https://t.example/tables">the <b>tide</b> tables</a> and <a href="javascript:x()">this</a>.</p>
    <p>Again <a href="https://t.example/tables">the tide tables</a>, <a href="#top">up</a>, <a name="x">none</a>.</p>
    <ul><li><a href="moon.html">The moon</a></li></ul>
    <table><tr><th>Port</th></tr><tr><td><a href="ports/1">Skerrin</a></td></tr></table></main></body>"""
    assert Link("Menu", "/menu") not in parsed(page, "html").links
    assert parsed(page, "html", main_content=False).links == (
        Link("Menu", "/menu"),
        Link("the tide tables", "https://t.example/tables"),
        Link("The moon", "moon.html"),
        Link("Skerrin", "ports/1"),
    )


def test_links_of_markdown_are_told_and_pictures_are_none() -> None:
    text = """# Tides

See [the *tide* tables](https://t.example/tables "title"), [moon], <https://auto.example> and ![x](p.png).

- [script](javascript:alert(1)) <a href="raw.html">raw</a>

| Port |
| --- |
| [Skerrin](ports/1) |

<p><a href="block.html">block</a></p>

[moon]: moon.html
"""
    assert [(link.text, link.url) for link in parsed(text, "markdown").links] == [
        ("the tide tables", "https://t.example/tables"),
        ("moon", "moon.html"),
        ("https://auto.example", "https://auto.example"),
        ("Skerrin", "ports/1"),
        ("block", "block.html"),
    ]


def test_very_many_links_are_bounded() -> None:
    page = "<body><p>" + "".join(f'<a href="/{number}">x{number} </a>' for number in range(8_000)) + "</p></body>"
    assert len(parsed(page, "html").links) == 5_000


def test_links_within_links_cost_no_more_than_their_first_words() -> None:
    page = "<p>" + '<a href="/x"><span>' * 1_500 + "word " * 50_000
    assert all(len(link.text) <= 500 for link in parsed(page, "html").links)
