"""What documents say of themselves, in the JSON and the text of hits and of a parsed file."""

from dataclasses import replace

from docpipe import console
from docpipe.pipeline.report import json_forms
from docpipe.testing import chunk, parsed
from docpipe.types import Block, BlockKind, Document, Hit, Link, OutlineEntry, Page, Span

ENGLISH = "The pilot waits at the buoy until the tide is high."
CHINESE = "引航员在浮标处等待,直到潮水足够高。"


def a_hit(**said: str) -> Hit:
    return Hit(chunk=replace(chunk("words"), metadata=said), score=1.0, rank=1, found_by=("text",))


def two_pages() -> Document:
    text = f"{ENGLISH}\n\n{CHINESE}"
    spans = (Span(0, len(ENGLISH)), Span(len(ENGLISH) + 2, len(text)))
    return replace(
        parsed(),
        text=text,
        pages=tuple(Page(number=number, width=1, height=1) for number in (1, 2, 3)),
        blocks=tuple(
            Block(id=str(page), kind=BlockKind.PARAGRAPH, span=span, page=page) for page, span in enumerate(spans, 1)
        ),
        metadata={"language": "en", "author": "Ann Li"},
        outline=(OutlineEntry(1, "Start", 1),),
        links=(Link("home", "https://x.example/", 2),),
    )


def test_a_hit_gives_its_documents_metadata() -> None:
    hit = a_hit(title="Tides", authors="Ann Li", created="2024-05-31T10:00:00Z", subject="Water")
    (form,) = json_forms.search("q", [hit])["hits"]
    assert (
        form["metadata"]
        == dict(hit.metadata)
        == {
            "title": "Tides",
            "authors": "Ann Li",
            "created": "2024-05-31T10:00:00Z",
            "subject": "Water",
        }
    )
    assert "\n   Tides, Ann Li, 2024-05-31\n" in console.hits_text([hit], {})


def test_a_hit_without_author_and_date_says_nothing_of_them() -> None:
    assert "Tides" not in console.hits_text([a_hit(title="Tides")], {})


def test_what_a_document_says_cannot_steer_a_terminal() -> None:
    text = console.hits_text([a_hit(authors="A\x1b[2J\u202eb", title="x" * 5_000)], {})
    assert "\x1b" not in text and "\u202e" not in text and len(text) < 1_000


def test_a_parsed_file_gives_outline_links_and_the_language_of_each_page() -> None:
    form = json_forms.document(two_pages())
    assert [(page["number"], page["language"]) for page in form["pages"]] == [(1, "en"), (2, "zh"), (3, "")]
    assert form["outline"] == [{"level": 1, "title": "Start", "page": 1}]
    assert form["links"] == [{"text": "home", "url": "https://x.example/", "page": 2}]


def test_the_headings_are_the_outline_of_a_document_that_has_none_of_its_own() -> None:
    document = parsed((BlockKind.TITLE, "Tides"), (BlockKind.PARAGRAPH, "High."), (BlockKind.HEADING, "Low\nwater"))
    assert json_forms.document(document)["outline"] == [
        {"level": 1, "title": "Tides", "page": None},
        {"level": 1, "title": "Low water", "page": None},
    ]
