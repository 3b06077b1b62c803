"""What the chunks of a document look like: sections, lists, tables, captions, furniture."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from docpipe.chunk.layout import LayoutChunker
from docpipe.errors import UnknownName
from docpipe.split.tokenizers import tokenizer
from docpipe.tables import grid, write
from docpipe.types import BlockKind, Chunk, Document

K = BlockKind
Make = Callable[..., Document]
LONG = "This sentence is made of nine plain short words. "


def chunks(document: Document, **options: int) -> list[Chunk]:
    """The chunks, at most 60 tokens each where nothing else is said."""
    return list(LayoutChunker(**{"max_tokens": 60, "overlap": 0, **options})(document))  # type: ignore[arg-type]


def test_a_document_of_furniture_or_nothing_has_no_chunks(make: Make) -> None:
    assert chunks(make([])) == []
    assert chunks(make([(K.HEADER, 0, "Page head"), (K.PAGE_NUMBER, 0, "3"), (K.PARAGRAPH, 0, " ")])) == []


def test_furniture_is_left_out_wherever_it_stands(make: Make) -> None:
    found = chunks(make([(K.PARAGRAPH, 0, "One."), (K.FOOTER, 0, "Secret"), (K.PARAGRAPH, 0, "Two.")]))
    assert [chunk.text for chunk in found] == ["One.", "Two."]


def test_a_heading_stays_with_what_follows_and_names_the_path(make: Make) -> None:
    document = make(
        [(K.TITLE, 0, "Manual"), (K.PARAGRAPH, 0, LONG * 4), (K.HEADING, 1, "Setup"), (K.PARAGRAPH, 0, LONG * 4)]
    )
    one, two = chunks(document)
    assert one.text.startswith("Manual\n\nThis") and one.headings == ("Manual",) and one.context == ""
    assert two.text.startswith("Setup\n\nThis") and two.headings == ("Manual", "Setup")
    assert two.context == "Manual\n" and two.content.startswith("Manual\nSetup\n\nThis")
    assert two.kind is K.PARAGRAPH and two.title == "Manual"


def test_every_piece_of_a_long_section_says_where_it_is_from(make: Make) -> None:
    document = make([(K.TITLE, 0, "Manual"), (K.HEADING, 1, "Setup"), (K.PARAGRAPH, 0, LONG * 12)])
    first, *later = chunks(document)
    assert first.text.startswith("Manual\n\nSetup\n\nThis") and first.context == ""
    assert len(later) > 1 and {chunk.context for chunk in later} == {"Manual > Setup\n"}
    assert all(chunk.text.endswith("words.") and chunk.text.startswith("This") for chunk in later)


def test_only_what_was_cut_within_a_paragraph_is_repeated(make: Make) -> None:
    sentences = [f"Sentence number {number} has a few words more. " for number in range(12)]
    cut = chunks(make([(K.PARAGRAPH, 0, "".join(sentences))]), overlap=15)
    assert all(two.span.start < one.span.end for one, two in pairwise(cut))
    whole = chunks(
        make([(K.PARAGRAPH, 0, "".join(sentences[:4])), (K.PARAGRAPH, 0, "".join(sentences[4:8]))]), overlap=15
    )
    assert all(two.span.start > one.span.end for one, two in pairwise(whole))


def test_small_neighbours_are_merged_under_what_they_share(make: Make) -> None:
    parts = [
        (K.TITLE, 0, "T"),
        (K.HEADING, 1, "A"),
        (K.HEADING, 2, "A1"),
        (K.PARAGRAPH, 0, "One."),
        (K.HEADING, 2, "A2"),
    ]
    document = make([*parts, (K.PARAGRAPH, 0, "Two.")])
    [chunk] = chunks(document)
    assert chunk.headings == ("T", "A") and chunk.context == ""


def test_a_chunk_does_not_cross_a_heading_of_higher_rank_unless_both_are_tiny(make: Make) -> None:
    def parts(words: int) -> list[tuple[BlockKind, int, str]]:
        low = [(K.HEADING, 2, "Low"), (K.PARAGRAPH, 0, "word " * words)]
        return [*low, (K.HEADING, 1, "High"), (K.PARAGRAPH, 0, "Two.")]

    assert [chunk.headings for chunk in chunks(make(parts(20)))] == [("Low",), ("High",)]
    assert len(chunks(make(parts(3)))) == 1


def test_a_heading_without_text_goes_with_the_next_one(make: Make) -> None:
    document = make([(K.HEADING, 1, "Part"), (K.HEADING, 2, "Chapter"), (K.PARAGRAPH, 0, LONG * 12)])
    first, *later = chunks(document)
    assert first.text.startswith("Part\n\nChapter\n\nThis")
    assert {chunk.context for chunk in later} == {"Part > Chapter\n"}


def test_few_words_above_a_long_section_go_with_it(make: Make) -> None:
    document = make(
        [(K.HEADING, 1, "Part"), (K.PARAGRAPH, 0, "Hello."), (K.HEADING, 2, "Long"), (K.PARAGRAPH, 0, LONG * 12)]
    )
    assert chunks(document)[0].text.startswith("Part\n\nHello.\n\nLong\n\nThis")


def test_a_list_stays_whole_with_its_introduction(make: Make) -> None:
    items = [(K.LIST_ITEM, 1, f"item {n} of the list") for n in range(5)]
    document = make(
        [(K.PARAGRAPH, 0, LONG * 4), (K.PARAGRAPH, 0, "What you need:"), *items, (K.PARAGRAPH, 0, LONG * 4)]
    )
    [whole] = [chunk for chunk in chunks(document) if "item 0" in chunk.text]
    assert whole.text.startswith("What you need:") and "item 4" in whole.text


def test_a_list_that_is_too_long_is_cut_between_its_items(make: Make) -> None:
    items = [(K.LIST_ITEM, 1, f"item {n} of a list that goes on for long") for n in range(20)]
    found = chunks(make(items))
    assert len(found) > 2
    assert all(chunk.text.startswith("item") and chunk.text.endswith("long") for chunk in found)


def test_a_caption_stays_with_its_figure(make: Make) -> None:
    document = make(
        [
            (K.PARAGRAPH, 0, LONG * 4),
            (K.FIGURE, 0, "axis and legend"),
            (K.CAPTION, 0, "Figure 1. " + LONG),
            (K.PARAGRAPH, 0, LONG * 4),
        ]
    )
    [figure] = [chunk for chunk in chunks(document) if "Figure 1" in chunk.text]
    assert "axis and legend" in figure.text


def table(rows: int, header_rows: int = 1) -> str:
    """A table of three columns in its written form."""
    body = [[f"name {n}", f"{n} kg", "a < b"] for n in range(rows)]
    return write(grid([*[["Name", "Mass", "Rule"]] * header_rows, *body], header_rows=header_rows)).html


def test_a_long_table_is_cut_between_rows_under_its_header(make: Make) -> None:
    document = make([(K.HEADING, 1, "Data"), (K.CAPTION, 0, "Table 1. Masses"), (K.TABLE, 0, table(30))])
    first, *later = chunks(document)
    assert first.text.startswith("Data\n\nTable 1. Masses\n\n<table>\n<tr><th>Name") and first.context == ""
    header = "<tr><th>Name</th><th>Mass</th><th>Rule</th></tr>\n"
    for chunk in later:
        assert chunk.context == f"Data\nTable 1. Masses\n{header}"
        assert chunk.text.startswith("<tr><td>name") and chunk.kind is K.TABLE
        assert chunk.content.startswith("Data\nTable 1. Masses\nName | Mass | Rule\nname")
        assert "<" not in chunk.content.replace("a < b", "")
    assert first.kind is K.CAPTION and later[-1].text.endswith("</table>")


def test_a_caption_below_a_table_stays_with_it(make: Make) -> None:
    document = make([(K.PARAGRAPH, 0, LONG * 5), (K.TABLE, 0, table(2)), (K.CAPTION, 0, "Table 1. Masses")])
    [found] = [chunk for chunk in chunks(document) if "<table>" in chunk.text]
    assert found.text.endswith("Table 1. Masses")


def test_a_table_without_a_header_has_none_in_its_context(make: Make) -> None:
    found = chunks(make([(K.TABLE, 0, table(30, header_rows=0))]))
    assert len(found) > 2 and {chunk.context for chunk in found} == {""}


def test_a_row_that_is_too_long_is_cut_and_still_fits(make: Make) -> None:
    html = write(grid([["Name", "Text"], ["a", LONG * 30], ["b", "short"]])).html
    found = chunks(make([(K.TABLE, 0, html)]))
    assert max(chunk.token_count for chunk in found) <= 60 and len(found) > 4


def test_a_long_path_loses_its_top_and_keeps_its_deepest_heading(make: Make) -> None:
    parts = [(K.HEADING, n, f"Heading number {n} has its words") for n in range(1, 5)]
    found = chunks(make([*parts, (K.PARAGRAPH, 0, LONG * 15)]))
    assert found[-1].context == "Heading number 3 has its words > Heading number 4 has its words\n"
    endless = chunks(make([(K.HEADING, 1, "very " * 40 + "long"), (K.PARAGRAPH, 0, LONG * 15)]))
    assert endless[-1].context.startswith("very very") and tokenizer("bge-small-en").count(endless[-1].context) <= 15


def test_the_limit_of_the_embedder_holds_below_max_tokens(make: Make) -> None:
    document = make([(K.PARAGRAPH, 0, LONG * 20)])
    assert max(chunk.token_count for chunk in chunks(document, max_tokens=256, limit=40)) <= 40
    assert max(chunk.token_count for chunk in chunks(document, max_tokens=100, limit=400)) > 60


def test_the_title_of_the_metadata_is_not_said_twice(make: Make) -> None:
    parts = [(K.HEADING, 1, "My  manual"), (K.HEADING, 1, "Setup"), (K.PARAGRAPH, 0, LONG * 12)]
    document = make(parts, title="My Manual")
    assert {chunk.headings for chunk in chunks(document)} == {("My manual", "Setup")}
    named = make([(K.PARAGRAPH, 0, LONG)], title="My Manual")
    assert [(chunk.context, chunk.title) for chunk in chunks(named)] == [("My Manual\n", "My Manual")]


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        pytest.param("This is the text of a page in English.", "", "en", id="found"),
        pytest.param("这是一个用中文写的段落，它有很多字。", "zh-Hans", "zh", id="declared"),
        pytest.param("这是一个用中文写的段落，它有很多字。", "en", "zh", id="another-script"),
        pytest.param("Dies ist ein Satz.", "de", "de", id="declared-latin"),
        pytest.param("It is the text of a page and it is in English.", "zh", "en", id="latin-in-chinese"),
        pytest.param("Der Lotse wartet an der Boje, bis die Flut hoch und das Schiff da ist.", "en", "de", id="german"),
    ],
)
def test_a_chunk_knows_its_language(make: Make, text: str, declared: str, language: str) -> None:
    [chunk] = chunks(make([(K.PARAGRAPH, 0, text)], language=declared))
    assert chunk.language == language


def test_the_chinese_page_of_an_english_document_is_found_by_its_language(make: Make) -> None:
    english, chinese = (
        "The pilot waits at the buoy and the tide is high. " * 30,
        "引航员在浮标处等待,直到潮水足够高。" * 30,
    )
    parts = [(K.PARAGRAPH, 0, text) for text in (english, english, chinese, chinese, english, english)]
    found = chunks(make(parts, language="en"))
    pages = {language: {page for c in found if c.language == language for page in c.pages} for language in ("en", "zh")}
    assert 2 in pages["zh"] and {1, 3} <= pages["en"]
    assert {c.language for c in found} == {"en", "zh"}


def test_chunks_say_what_their_document_says_of_itself(make: Make) -> None:
    document = make([(K.TITLE, 1, "On tides"), (K.PARAGRAPH, 0, "The tide is high and it is in the bay.")])
    said = {"author": "Ann Li", "created": "31 May 2024", "language": "zh-Hant", "Last Editor": "Bo\nWu"}
    [chunk] = chunks(replace(document, metadata=said))
    assert (chunk.title, chunk.language) == ("On tides", "en")
    assert chunk.metadata == {
        "title": "On tides",
        "authors": "Ann Li",
        "created": "2024-05-31",
        "language": "zh-Hant",
        "last_editor": "Bo Wu",
    }


def test_a_chunk_has_a_box_for_each_block_and_page(make: Make) -> None:
    [chunk] = chunks(make([(K.HEADING, 1, "Head"), (K.PARAGRAPH, 0, "Goes on over the page break.")]))
    assert chunk.pages == (1, 2)
    assert [box.page for box in chunk.boxes] == [1, 1, 2]
    assert len(chunk.geometry) == 2 and chunk.block_ids == ("b0", "b1")


def test_equal_chunks_of_a_document_have_different_ids_that_stay(make: Make) -> None:
    parts = [(K.HEADING, 1, "A"), (K.PARAGRAPH, 0, "word " * 50)]
    before = chunks(make([*parts, *parts]))
    assert len({chunk.id for chunk in before}) == 2
    after = chunks(make([(K.PARAGRAPH, 0, "Something new. " * 8), *parts, *parts]))
    assert [chunk.id for chunk in after[-2:]] == [chunk.id for chunk in before]


def test_a_document_without_pages_gives_no_boxes(make: Make) -> None:
    document = make([(K.PARAGRAPH, 0, "Words.")])
    blocks = tuple(replace(block, page=None, bbox=None) for block in document.blocks)
    [chunk] = chunks(replace(document, blocks=blocks, pages=(), geometry=type(document.geometry)()))
    assert (chunk.pages, chunk.boxes) == ((), ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 8}, "max_tokens must be at least 16, got 8"),
        ({"overlap": -1}, "overlap must not be negative, got -1"),
        ({"limit": 3}, "limit must be 0 or at least 16, got 3"),
    ],
)
def test_an_option_out_of_range_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LayoutChunker(**options)  # type: ignore[arg-type]


def test_an_unknown_tokenizer_is_refused_when_the_chunker_is_made() -> None:
    with pytest.raises(UnknownName, match=r"no tokenizer is called 'charcters'.*did you mean 'characters'"):
        LayoutChunker(tokenizer="charcters")


def test_a_caption_that_is_too_long_for_its_table_is_cut_and_counted(make: Make) -> None:
    found = chunks(make([(K.TABLE, 0, table(1, header_rows=0)), (K.CAPTION, 0, "word " * 70 + "end")]))
    counter = tokenizer("bge-small-en")
    assert len(found) == 3
    assert all(chunk.token_count == counter.count(chunk.content) + 2 <= 60 for chunk in found)
