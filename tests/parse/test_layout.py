"""Columns, paragraphs, furniture, hyphens and order of the text: laws and examples without any PDF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.parse.content import Box
from docpipe.parse.page.columns import Item, columns
from docpipe.parse.page.flow import in_order
from docpipe.parse.page.furniture import set_aside
from docpipe.parse.page.hyphens import Join, Vocabulary, join
from docpipe.parse.page.labels import Labelled
from docpipe.parse.page.layout import arrange
from docpipe.parse.page.lettering import readable, storable, unreadable_share
from docpipe.parse.page.outline import Entry, Heading, Outline, depth, levels
from docpipe.parse.page.paragraphs import bulleted, numbered, pieces
from docpipe.parse.page.printed import BOLD, Piece, PrintedLine, PrintedPage, turned, union
from docpipe.types import BlockKind

lengths = st.floats(0, 800, allow_nan=False)


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    boxes = draw(st.lists(st.tuples(lengths, lengths, st.floats(1, 300), st.floats(4, 40), st.booleans()), max_size=30))
    return [Item(x, y, x + w, y + h, number, text) for number, (x, y, w, h, text) in enumerate(boxes)]


@given(items())
def test_every_item_is_put_in_order_exactly_once(given_items: list[Item]) -> None:
    found = [number for column in columns(given_items) for row in column.rows for number in row]
    assert sorted(found) == [item.number for item in given_items]


def line(text: str, left: float, top: float, *, size: float = 10.0, style: int = 0, width: float = 0.0) -> PrintedLine:
    return PrintedLine(left, top, left + (width or len(text) * size * 0.5), top + 1.2 * size, text, size, style)


@given(st.lists(st.tuples(st.text("abc. -1", min_size=1), lengths, lengths, st.sampled_from([8.0, 10.0, 20.0]))))
def test_arranging_loses_and_repeats_no_line(printed: list[tuple[str, float, float, float]]) -> None:
    lines = [line(text, x, y, size=size) for text, x, y, size in printed if text.split()]
    found = arrange(lines, width=600, height=800)
    letters = sorted("".join(part.text for piece in found for part in piece.lines).replace(" ", ""))
    assert letters == sorted("".join(part.text for part in lines).replace(" ", ""))


def test_cells_that_share_base_lines_are_read_across() -> None:
    cells = [
        Item(left, 100 + 14 * row, left + 40, 112 + 14 * row, 10 * row + number)
        for row in range(6)
        for number, left in enumerate((50, 250, 400))
    ]
    assert [row for column in columns(cells) for row in column.rows] == [
        (10 * row, 10 * row + 1, 10 * row + 2) for row in range(6)
    ]


def grouped(*lines: PrintedLine) -> list[list[str]]:
    found = pieces(lines, column=0, left=50, right=550)
    return [[part.text for part in piece.lines] for piece in found]


def test_a_first_line_indent_begins_a_paragraph() -> None:
    full = "x" * 100
    assert grouped(line(full, 50, 0), line("It ends.", 50, 12), line(full, 65, 24, width=485), line("b", 50, 36)) == [
        [full, "It ends."],
        [full, "b"],
    ]


def test_a_ragged_line_that_ends_a_sentence_ends_no_paragraph_unless_the_next_word_had_room() -> None:
    def sample(word: float) -> list[PrintedLine]:
        following = PrintedLine(50, 24, 540, 36, "Extraordinarily x", 10, 0, (50, 50 + word, 60 + word, 540))
        return [line("x" * 100, 50, 0), line("It ends.", 50, 12, width=430), following]

    assert [len(group) for group in grouped(*sample(80.0))] == [3]
    assert [len(group) for group in grouped(*sample(40.0))] == [2, 1]


def test_a_wider_gap_begins_a_paragraph() -> None:
    lines = [line("x" * 99, 50, top) for top in (0, 12, 24, 44, 56)]
    assert [len(group) for group in grouped(*lines)] == [3, 2]


def test_a_change_of_size_begins_a_paragraph() -> None:
    assert grouped(line("Ships", 50, 0, size=14), line("They sail.", 50, 18)) == [["Ships"], ["They sail."]]


def test_a_list_item_keeps_its_further_lines() -> None:
    first, second = "1. " + "a" * 96, "2. short"
    assert grouped(line(first, 50, 0), line("goes on.", 62, 12), line(second, 50, 24)) == [
        [first, "goes on."],
        [second],
    ]


@pytest.mark.parametrize("text", ["• rope", "– rope", "* rope", "▪ rope", "• 绳子"])
def test_bullets_are_seen(text: str) -> None:
    assert bulleted(text)


@pytest.mark.parametrize("text", ["1. rope", "12) rope", "(a) rope", "一、绳子", "（1）绳子", "①绳子", "[3] Rope"])
def test_enumerations_are_seen(text: str) -> None:
    assert numbered(text)


@pytest.mark.parametrize("text", ["1990. rope", "rope", "3.5 metres", "e.g. rope", "-5 degrees"])
def test_words_and_figures_are_no_enumerations(text: str) -> None:
    assert not numbered(text)
    assert not bulleted(text)


def joined(before: str, after: str, known: str = "") -> str:
    how = join(before, after, Vocabulary([known]))
    return before[: len(before) - how.drop] + how.between + after


@pytest.mark.parametrize(
    ("before", "after", "known", "result"),
    [
        ("the naviga-", "tion mark", "", "the navigation mark"),
        ("a well-", "known mark", "well-known marks", "a well-known mark"),
        ("the state-of-the-", "art", "", "the state-of-the-art"),
        ("the sea-", "side", "a seaside town", "the seaside"),
        ("years 1990-", "1995", "", "years 1990-1995"),
        ("Anglo-", "Saxon", "", "Anglo-Saxon"),
        ("sig\u00ad", "nal", "", "signal"),
        ("one", "two", "", "one two"),
        ("一二三", "四五", "", "一二三四五"),
        ("使用", "PDF 文件", "", "使用PDF 文件"),
        ("한국어", "문장", "", "한국어 문장"),
        ("see https://example.org/a/", "b", "", "see https://example.org/a/b"),
        ("(see https:", "//example.org)", "", "(see https://example.org)"),
        ("a dash -", "then", "", "a dash - then"),
    ],
)
def test_lines_are_joined_as_they_were_written(before: str, after: str, known: str, result: str) -> None:
    assert joined(before, after, known) == result


@given(st.text(), st.text())
def test_a_join_drops_at_most_the_hyphen(before: str, after: str) -> None:
    how = join(before, after, Vocabulary([before, after]))
    assert how in (Join(0, " "), Join(0, ""), Join(1, ""))
    assert not how.drop or before[-1] in "-\u2010\u00ad"


def page_of(number: int, *lines: PrintedLine) -> PrintedPage:
    return PrintedPage(number, 600, 800, arrange(lines, width=600, height=800))


def names(pages: list[PrintedPage]) -> list[list[tuple[str, BlockKind | None]]]:
    return [[(piece.lines[0].text, kind) for piece, kind in found] for found in set_aside(pages)]


def test_headers_that_alternate_between_left_and_right_pages_are_found() -> None:
    pages = [
        page_of(n, line("Left head" if n % 2 else "Right head", 50, 20), line("abcdefg"[n] * 30, 50, 300))
        for n in range(1, 7)
    ]
    assert all(found[0][1] is BlockKind.HEADER for found in names(pages))
    assert all(found[1][1] is None for found in names(pages))


def test_a_line_that_does_not_come_back_is_no_header() -> None:
    pages = [page_of(n, line("abcdefg"[n] * 9, 50, 20), line("text", 50, 300)) for n in range(1, 5)]
    assert all(found[0][1] is None for found in names(pages))


def test_a_number_that_does_not_count_with_the_pages_is_no_page_number() -> None:
    pages = [
        page_of(n, line("text", 50, 300), line(str(value), 300, 780)) for n, value in enumerate((12, 90, 3, 47), 1)
    ]
    assert [found[-1][1] for found in names(pages)] == [None] * 4


def test_a_footer_that_changes_by_chapter_is_told_by_its_number() -> None:
    pages = [page_of(n, line("text", 50, 300), line(f"{'abcdef'[n]} chapter {n + 20}", 300, 780)) for n in range(5)]
    assert [found[-1][1] for found in names(pages)] == [BlockKind.FOOTER] * 5


def piece_of(*texts: str, column: int = 0, right: float = 300.0, size: float = 10.0) -> Piece:
    lines = tuple(
        line(text, 50, 12.0 * number, size=size, width=250 if number + 1 < len(texts) else 0)
        for number, text in enumerate(texts)
    )
    return Piece("text", lines, union(lines), column, 50.0, right)


def test_a_float_within_a_paragraph_comes_after_it() -> None:
    before = Labelled(piece_of("the cargo of the ship was", "brought to the"), 1, BlockKind.PARAGRAPH)
    caption = Labelled(piece_of("Figure 1: A ship."), 1, BlockKind.CAPTION)
    after = Labelled(piece_of("quay by night."), 2, BlockKind.PARAGRAPH)
    found = in_order([before, caption, after])
    assert [item.text for item in found] == [before.text, after.text, caption.text]
    assert [item.continues for item in found] == [False, True, False]


def noted(pages: tuple[int, ...]) -> list[str]:
    """Texts in order of a body over two pages, with a margin's note on each of these pages."""
    body = [(number, Labelled(piece_of(f"Body {number}."), number, BlockKind.PARAGRAPH)) for number in (1, 2)]
    notes = [(n, Labelled(piece_of(f"Note {n}."), n, BlockKind.OTHER, native="aside")) for n in pages]
    return [item.text for item in in_order([item for _, item in sorted(body + notes, key=lambda pair: pair[0])])]


def test_the_margin_of_the_first_page_alone_comes_last_and_margins_of_many_pages_stay() -> None:
    assert noted((1,)) == ["Body 1.", "Body 2.", "Note 1."]
    assert noted((1, 2)) == ["Body 1.", "Note 1.", "Body 2.", "Note 2."]


def test_a_finished_paragraph_is_not_joined_to_the_next_page() -> None:
    before = Labelled(piece_of("The cargo was unloaded."), 1, BlockKind.PARAGRAPH)
    caption = Labelled(piece_of("Figure 1: A ship."), 1, BlockKind.CAPTION)
    after = Labelled(piece_of("the next day came"), 2, BlockKind.PARAGRAPH)
    found = in_order([before, caption, after])
    assert [item.text for item in found] == [before.text, caption.text, after.text]
    assert not any(item.continues for item in found)


def test_a_paragraph_is_given_up_after_many_floats() -> None:
    before = Labelled(piece_of("the cargo of the ship was", "brought to the"), 1, BlockKind.PARAGRAPH)
    captions = [Labelled(piece_of(f"Figure {number}: A ship."), 1, BlockKind.CAPTION) for number in range(20)]
    after = Labelled(piece_of("quay by night."), 2, BlockKind.PARAGRAPH)
    found = in_order([before, *captions, after])
    assert found == [before, *captions, after]


def test_the_outline_is_found_with_and_without_numbers() -> None:
    outline = Outline([Entry(1, "2 The Ships", 3), Entry(2, "Sails", 4)])
    assert outline.level("The ships", 3) == 1
    assert outline.level("2.1 Sails", 4) == 2
    assert outline.level("Sails", 1) == 0
    assert not Outline([])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 Ships", 1),
        ("2.3 Sails", 2),
        ("A.1.2 Ropes", 3),
        ("第三章 港口", 1),
        ("第二节 船", 2),
        ("一、船", 2),
        ("A. Ships", 1),
        ("A short guide", 0),
        ("Ships", 0),
    ],
)
def test_numbers_tell_how_deep_a_heading_is(text: str, number: int) -> None:
    assert depth(text) == number


@given(st.lists(st.builds(Heading, text=st.text(), size=st.floats(6, 40), bold=st.booleans())), st.integers(0, 1))
def test_levels_stay_between_one_and_six(headings: list[Heading], below: int) -> None:
    found = levels(headings, below=below)
    assert len(found) == len(headings)
    assert all(1 <= level <= 6 for level in found)


def test_larger_headings_stand_above_smaller_and_bold_above_plain() -> None:
    found = levels([Heading("Ships", 18, False), Heading("Sails", 12, True), Heading("Ropes", 12, False)])
    assert found == [1, 2, 3]


def test_a_heading_set_larger_than_one_of_known_level_stands_no_deeper() -> None:
    sizes = [Heading(f"Words {size}", size, False) for size in (30.0, 24.0, 20.0, 18.0)]
    assert levels([*sizes, Heading("Known", 14.0, False, outlined=2)]) == [1, 2, 2, 2, 2]


def roles(picture: Box, *lines: PrintedLine) -> list[str]:
    return [piece.role for piece in arrange(lines, pictures=[picture], width=600, height=800)]


def test_a_picture_behind_a_heading_or_a_paragraph_is_no_figure_and_one_with_labels_is() -> None:
    assert roles(Box(50, 95, 350, 120), line("The harbour", 60, 100)) == ["text"]
    assert roles(Box(50, 95, 350, 160), *[line("x" * 55, 60, top, width=280) for top in (100, 114, 128, 142)]) == [
        "text"
    ]
    assert roles(Box(50, 95, 350, 300), *[line(f"Ship {top}", 60, top) for top in (100, 180, 260)]) == ["figure"]


@given(lengths, lengths, st.floats(1, 50), st.floats(1, 50), st.sampled_from([0, 90, 180, 270]))
def test_turning_there_and_back_changes_nothing(x: float, y: float, w: float, h: float, degrees: int) -> None:
    width, height = 900.0, 1000.0
    there = turned(line("x", x, y)._replace(right=x + w, bottom=y + h), degrees, width, height)
    size = (height, width) if degrees in (90, 270) else (width, height)
    back = turned(there, (360 - degrees) % 360, *size)
    assert back == pytest.approx((x, y, x + w, y + h), abs=1e-6)


@given(st.text())
def test_text_becomes_storable(text: str) -> None:
    found, words = storable(text)
    assert len(found.split()) == words
    found.encode("utf-8")
    assert "\x00" not in found


def test_signs_that_say_nothing_are_counted() -> None:
    assert unreadable_share("\ufffd\ufffdab") == 0.5
    assert unreadable_share("plain") == 0.0
    assert readable("mostly fine \ufffd")
    assert not readable("\ue000\ue001\ue002a")


def test_bold_lines_above_text_are_apart_from_it() -> None:
    assert grouped(line("Ships", 50, 0, style=BOLD), line("They sail.", 50, 12)) == [["Ships"], ["They sail."]]
