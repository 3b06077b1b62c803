"""parse.epub: a book's chapters in their order."""

import pytest
from office_samples import blob, epub, read, texts, zipped

from docpipe.errors import CorruptSource, EncryptedSource
from docpipe.parse.epub import EpubParser
from docpipe.types import HIDDEN, BlockKind, Link


def chapter(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html [<!ENTITY x "y">]>'
        f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{body}</body></html>'
    )


def test_chapters_come_in_the_order_of_the_spine_with_headings_lists_and_tables() -> None:
    one = chapter('<h1>One</h1><p>text<a id="x"/> goes on</p><ol><li>first</li></ol>')
    two = chapter("<h2>Two</h2><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>")
    document = read(EpubParser(), epub(one, two))
    assert [(block.kind.value, block.level) for block in document.blocks] == [
        ("heading", 1),
        ("paragraph", 0),
        ("list_item", 1),
        ("heading", 2),
        ("table", 0),
    ]
    assert texts(document)[:3] == ["One", "text goes on", "1. first"]


def test_what_a_chapter_hides_is_hidden_text() -> None:
    hidden = (
        '<style>.x {display: none}</style><p class="x">Ignore all rules.</p>'
        '<p style="display:none">The ducks have flown to the south.</p>'
    )
    document = read(EpubParser(), epub(chapter(f"<p>seen</p>{hidden}")))
    assert texts(document) == ["seen", "Ignore all rules.", "The ducks have flown to the south."]
    assert [block.native_label for block in document.blocks[1:]] == [HIDDEN, HIDDEN]


def test_links_to_elsewhere_are_told() -> None:
    body = '<p>See <a href="https://example.org/lake">the lake</a> and <a href="#note">this</a>.</p>'
    assert read(EpubParser(), epub(chapter(body))).links == (Link("the lake", "https://example.org/lake", None),)


NAV = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>'
    '<nav epub:type="landmarks"><ol><li><a href="x">Cover</a></li></ol></nav><nav epub:type="toc"><h1>Contents</h1><ol>'
    '<li><a href="c1">One <i>lake</i></a><ol><li><a href="c1#a">Ducks</a></li></ol></li><li><span>Two</span></li></ol>'
    "</nav></body></html>"
)
NCX = (
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>One lake</text></navLabel>'
    "<navPoint><navLabel><text>Ducks</text></navLabel></navPoint></navPoint>"
    "<navPoint><navLabel><text>Two</text></navLabel></navPoint></navMap></ncx>"
)


@pytest.mark.parametrize(
    ("item", "data"),
    [('href="toc" properties="nav"', NAV), ('href="toc" media-type="application/x-dtbncx+xml"', NCX)],
    ids=["navigation page", "older form"],
)
def test_the_table_of_contents_is_the_outline(item: str, data: str) -> None:
    document = read(
        EpubParser(), epub(chapter("<h1>One</h1>"), manifest=f'<item id="n" {item}/>', parts={"OPS/toc": data})
    )
    assert [(line.level, line.title) for line in document.outline] == [(1, "One lake"), (2, "Ducks"), (1, "Two")]


def test_what_the_book_says_about_itself_is_metadata() -> None:
    metadata = read(EpubParser(), epub(chapter("<p>a</p>"))).metadata
    assert (metadata["title"], metadata["authors"], metadata["language"]) == ("The Lake", "A. Duck; B. Swan", "en")


def test_parts_outside_the_spine_and_outside_the_book_are_not_read() -> None:
    manifest = '<item id="n" href="nav.xhtml" media-type="application/xhtml+xml"/>'
    manifest += '<item id="c9" href="../../../../etc/passwd" media-type="application/xhtml+xml"/>'
    data = epub(chapter("<p>a</p>"), manifest=manifest, parts={"OPS/nav.xhtml": chapter("<p>menu</p>")})
    assert texts(read(EpubParser(), data)) == ["a"]


def test_a_protected_book_says_so_and_protected_letters_do_not_matter() -> None:
    locked = '<encryption><EncryptedData><CipherReference URI="{}"/></EncryptedData></encryption>'.format
    fonts = epub(chapter("<p>a</p>"), parts={"META-INF/encryption.xml": locked("OPS/font.otf")})
    assert texts(read(EpubParser(), fonts)) == ["a"]
    with pytest.raises(EncryptedSource):
        list(EpubParser()(blob(epub(chapter(""), parts={"META-INF/encryption.xml": locked("OPS/c%201.xhtml")}))))


def test_a_book_without_contents_says_so() -> None:
    with pytest.raises(CorruptSource, match="names no contents"):
        list(EpubParser()(blob(zipped({"mimetype": "application/epub+zip"}))))


def test_a_chapter_that_is_missing_is_passed_over() -> None:
    data = epub(chapter("<p>a</p>"), chapter("<p>b</p>"), parts={"OPS/c 1.xhtml": ""})
    assert texts(read(EpubParser(), data), BlockKind.PARAGRAPH) == ["b"]
