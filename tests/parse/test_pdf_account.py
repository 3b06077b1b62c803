"""What a PDF says of itself, its bookmarks and its links."""

from typing import Any

import pymupdf
import pytest

from docpipe.parse.pdf import PdfParser
from docpipe.parse.pypdf import PypdfParser
from docpipe.types import Blob, Document, Link, OutlineEntry, Source

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="2019-03-04">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">On tides</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ann Li</rdf:li><rdf:li>王伟</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>water</rdf:li><rdf:li>moon</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def pages(*texts: str) -> Any:
    document = pymupdf.open()
    for text in texts:
        document.new_page().insert_text((72, 100), text, fontsize=11)
    return document


def parsed(document: Any, parser: Any = None) -> Document:
    data = document.tobytes()
    source = Source(uri="a.pdf", media_type="application/pdf", digest="d", size=len(data), modified=0)
    (found,) = (parser or PdfParser())(Blob(source=source, data=data))
    return found


def linked(page: Any, words: str, url: str) -> None:
    for box in page.search_for(words):
        page.insert_link({"kind": pymupdf.LINK_URI, "from": box, "uri": url})


def test_the_info_is_told_under_the_settled_names() -> None:
    document = pages("The tide is high and the ship is in the bay of the town.")
    document.set_metadata(
        {
            "title": "On tides",
            "author": "Ann Li; Bo Wu",
            "subject": "Water",
            "keywords": "tide, moon",
            "creationDate": "D:20240531100000+08'00'",
            "modDate": "D:20240601",
        }
    )
    assert parsed(document).metadata == {
        "title": "On tides",
        "authors": "Ann Li; Bo Wu",
        "subject": "Water",
        "keywords": "tide, moon",
        "created": "2024-05-31T10:00:00+08:00",
        "modified": "2024-06-01",
        "language": "en",
    }
    found = parsed(document, PypdfParser()).metadata
    assert (found["authors"], found["created"], found["modified"]) == (
        "Ann Li; Bo Wu",
        "2024-05-31T10:00:00+08:00",
        "2024-06-01",
    )


@pytest.mark.parametrize("title", ["Microsoft Word - x.doc", "untitled", "report-final.pdf", "", "Document1"])
def test_a_junk_title_is_not_taken(title: str) -> None:
    document = pages("Some text on a page, without a heading.")
    document.set_metadata({"title": title})
    assert parsed(document).metadata.get("title", "") != title or not title


def test_the_xmp_packet_says_what_the_info_does_not() -> None:
    document = pages("The tide is high and the ship is in the bay of the town.")
    document.set_metadata({"author": "Carl Yu"})
    document.set_xml_metadata(XMP)
    found = parsed(document).metadata
    assert found["authors"] == "Carl Yu"
    assert (found["title"], found["created"], found["keywords"]) == ("On tides", "2019-03-04", "water, moon")


@pytest.mark.parametrize(
    "packet",
    [
        "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
        "<x" * 50_000,
        "<x>" * 50_000,
        "not xml",
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        "x" * 600_000,
    ],
    ids=["entity", "cut", "deep", "text", "external", "large"],
)
def test_a_hostile_xmp_packet_says_nothing(packet: str) -> None:
    document = pages("Some text.")
    document.set_xml_metadata(packet)
    assert set(parsed(document).metadata) <= {"language", "title"}


def test_bookmarks_are_the_outline() -> None:
    document = pages("One", "Two")
    document.set_toc([[1, "First part", 1], [2, "A detail", 2], [1, "The end", -1]])
    assert parsed(document).outline == (
        OutlineEntry(1, "First part", 1),
        OutlineEntry(2, "A detail", 2),
        OutlineEntry(1, "The end", None),
    )
    assert parsed(document).contents == parsed(document).outline


def test_without_bookmarks_the_headings_are_the_contents() -> None:
    document = pages("")
    document[0].insert_text((72, 72), "1 Introduction", fontsize=20)
    document[0].insert_text((72, 120), "The tide is high and the ship waits in the bay for the pilot.", fontsize=11)
    found = parsed(document)
    assert found.outline == ()
    assert [(entry.title, entry.page) for entry in found.contents] == [("1 Introduction", 1)]


def test_links_tell_their_words_and_page_and_scripts_are_dropped() -> None:
    document = pages("See the tide tables today.", "Write to the harbour office.")
    linked(document[0], "tide tables", "https://tides.example/a b")
    linked(document[0], "today", "javascript:alert(1)")
    linked(document[1], "harbour office", "mailto:office@harbour.example")
    document[1].insert_link({"kind": pymupdf.LINK_GOTO, "from": pymupdf.Rect(0, 0, 9, 9), "page": 0})
    assert parsed(document).links == (
        Link("tide tables", "https://tides.example/a%20b", 1),
        Link("harbour office", "mailto:office@harbour.example", 2),
    )


def test_a_link_on_a_turned_page_tells_its_words() -> None:
    document = pages("See the tide tables today.")
    linked(document[0], "tide tables", "https://tides.example/")
    document[0].set_rotation(90)
    assert parsed(document).links == (Link("tide tables", "https://tides.example/", 1),)


def test_a_link_over_two_lines_is_one() -> None:
    document = pages("See the long\ntable of tides.")
    linked(document[0], "long", "https://tides.example/")
    linked(document[0], "table", "https://tides.example/")
    assert parsed(document).links == (Link("long table", "https://tides.example/", 1),)


def test_parts_of_a_long_file_tell_all_their_links() -> None:
    document = pages("one link", "two link")
    for number in range(2):
        linked(document[number], "link", f"https://x.example/{number}")
    data = document.tobytes()
    source = Source(uri="a.pdf", media_type="application/pdf", digest="d", size=len(data), modified=0)
    parser, blob = PdfParser(), Blob(source=source, data=data)
    parts = [parser.parse_pages(blob, number, number + 1) for number in range(2)]
    assert [link.page for link in parser.merge(source, parts).links] == [1, 2]
