"""What files say about themselves, in one form."""

import pytest
from office_samples import OPEN_SPACES, docx, epub, opendocument, paragraph, read

from docpipe.parse.docx import DocxParser
from docpipe.parse.epub import EpubParser
from docpipe.parse.opendocument import OpenDocumentParser
from docpipe.parse.properties import named, people, words


def test_names_stand_once_and_those_of_programs_not_at_all() -> None:
    assert people(["A. Duck;B. Swan", "python-docx", " A. Duck ", "https://example.org/a"]) == "A. Duck; B. Swan"
    assert people(["Microsoft Office User"]) == ""


def test_keywords_are_parted_by_commas() -> None:
    assert words(["a; b,c", "b", "湖，水"]) == "a, b, c, 湖, 水"


@pytest.mark.parametrize("title", ["Untitled", "PowerPoint Presentation", "Microsoft Word - a.doc", "Document1", " "])
def test_what_programs_call_a_document_is_no_title(title: str) -> None:
    assert named(title) == ""


def test_a_title_is_one_line() -> None:
    assert named(" Word\nfor  word ") == "Word for word"


CORE = (
    '<c:coreProperties xmlns:c="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/">'
    "<dc:title>The Lake</dc:title><dc:creator>A. Duck; B. Swan</dc:creator><dc:subject>Water</dc:subject>"
    "<c:keywords>ducks; lakes</c:keywords><t:created>2024-05-01T10:00:00Z</t:created>"
    "<t:modified>2024-06-01T10:00:00Z</t:modified><dc:language>en-GB</dc:language></c:coreProperties>"
)
SETTLED = {
    "title": "The Lake",
    "authors": "A. Duck; B. Swan",
    "created": "2024-05-01T10:00:00Z",
    "modified": "2024-06-01T10:00:00Z",
    "language": "en-GB",
    "keywords": "ducks, lakes",
}


def test_word_excel_and_powerpoint_say_it_in_their_core_properties() -> None:
    found = read(DocxParser(), docx(paragraph("a"), parts={"docProps/core.xml": CORE})).metadata
    assert {key: found[key] for key in SETTLED} == SETTLED


def test_opendocument_says_it_in_its_meta_part() -> None:
    meta = (
        f"<office:document-meta {OPEN_SPACES}><office:meta>"
        "<dc:creator>Last Hand</dc:creator><meta:initial-creator>A. Duck; B. Swan</meta:initial-creator>"
        "<dc:title>The Lake</dc:title><meta:creation-date>2024-05-01T10:00:00Z</meta:creation-date>"
        "<dc:date>2024-06-01T10:00:00Z</dc:date><dc:language>en-GB</dc:language>"
        "<meta:keyword>ducks</meta:keyword><meta:keyword>lakes</meta:keyword></office:meta></office:document-meta>"
    )
    found = read(
        OpenDocumentParser(), opendocument("<office:text><text:p>a</text:p></office:text>", parts={"meta.xml": meta})
    ).metadata
    assert {key: found[key] for key in SETTLED} == SETTLED


def test_a_book_says_it_in_its_package() -> None:
    about = (
        "<dc:subject>ducks</dc:subject><dc:subject>lakes</dc:subject><dc:date>2024-05</dc:date>"
        '<meta property="dcterms:modified">2024-06-01T10:00:00Z</meta>'
    )
    found = read(EpubParser(), epub("<html><body><p>a</p></body></html>", about=about)).metadata
    expected = {**SETTLED, "created": "2024-05", "language": "en"}
    assert {key: found[key] for key in expected} == expected
