"""Laws of the table finder, for any words and rules."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from docpipe.parse.content import Box, FoundTable, Rule, Word
from docpipe.parse.grid.tables import find_tables

WIDTH, HEIGHT = 600.0, 800.0

_texts = st.sampled_from(["12", "1,204", "4.5%", "–", "alpha", "beta", "gamma", "Total", "2007", "."])
_steps = st.integers(0, 11)


@st.composite
def _grid_words(draw: st.DrawFn) -> list[Word]:
    """Words that tend to stand in columns and lines, as tables' do, with some that do not."""
    words = []
    for _ in range(draw(st.integers(0, 40))):
        left = 40.0 + 48 * draw(_steps) + draw(st.sampled_from([0.0, 0.0, 3.0, 11.0]))
        top = 60.0 + 13 * draw(st.integers(0, 9)) + draw(st.sampled_from([0.0, 0.0, 1.5, 5.0]))
        text = draw(_texts)
        words.append(Word(left, top, left + 6 * len(text), top + draw(st.sampled_from([10.0, 12.0])), text))
    return words


@st.composite
def _aligned_words(draw: st.DrawFn) -> list[Word]:
    """A table's words without any rule: a label and figures in each row, a few cells left empty."""
    columns, rows = draw(st.integers(2, 5)), draw(st.integers(2, 8))
    words = []
    for row in range(rows):
        top = 100.0 + 14 * row
        words.append(Word(60, top, 110, top + 11, draw(st.sampled_from(["North", "South", "East"]))))
        for column in range(1, columns):
            if draw(st.integers(0, 7)):
                text = draw(_texts)
                right = 130.0 + 70 * column
                words.append(Word(right - 6 * len(text), top, right, top + 11, text))
    return words


_page_words = st.one_of(_grid_words(), _aligned_words(), st.builds(list.__add__, _grid_words(), _aligned_words()))


@st.composite
def _grid_rules(draw: st.DrawFn) -> list[Rule]:
    rules = []
    for _ in range(draw(st.integers(0, 12))):
        left, top = 36.0 + 48 * draw(_steps), 58.0 + 13 * draw(st.integers(0, 9))
        length = 48.0 * draw(st.integers(1, 11))
        across = draw(st.booleans())
        rules.append(Rule(left, top, left + length, top + 0.5) if across else Rule(left, top, left + 0.5, top + length))
    return rules


def tables_of(words: list[Word], rules: list[Rule]) -> list[FoundTable]:
    return find_tables(words, rules, width=WIDTH, height=HEIGHT)


def is_inside(inner: Box, outer: Box) -> bool:
    return (
        outer.left <= inner.left <= inner.right <= outer.right
        and outer.top <= inner.top <= inner.bottom <= outer.bottom
    )


def middle_in(word: Word, box: Box) -> bool:
    return (
        box.left <= (word.left + word.right) / 2 <= box.right and box.top <= (word.top + word.bottom) / 2 <= box.bottom
    )


@settings(max_examples=80)
@given(words=_page_words, rules=_grid_rules())
def test_each_word_of_a_table_is_in_exactly_one_cell(words: list[Word], rules: list[Rule]) -> None:
    for found in tables_of(words, rules):
        written = Counter(token for row in found.table.rows for cell in row for token in cell.text.split())
        assert written == Counter(word.text for word in words if middle_in(word, found.box))


@settings(max_examples=80)
@given(words=_page_words, rules=_grid_rules())
def test_cells_lie_in_their_table_and_fill_its_grid(words: list[Word], rules: list[Rule]) -> None:
    for found in tables_of(words, rules):
        assert len(found.cells) == len(found.table.rows)
        for row, boxes in zip(found.table.rows, found.cells, strict=True):
            assert len(row) == len(boxes)
            assert all(is_inside(box, found.box) for box in boxes)
        assert len(set(_widths(found))) == 1


def _widths(found: FoundTable) -> list[int]:
    """Columns of each row, those taken by cells from above counted."""
    taken: Counter[int] = Counter()
    for number, row in enumerate(found.table.rows):
        for cell in row:
            for below in range(cell.rowspan):
                taken[number + below] += cell.colspan
    return [taken[number] for number in range(len(found.table.rows))]


@settings(max_examples=60)
@given(words=_page_words, rules=_grid_rules(), order=st.randoms(use_true_random=False))
def test_the_order_of_words_and_rules_does_not_matter(words: list[Word], rules: list[Rule], order: object) -> None:
    expected = tables_of(words, rules)
    order.shuffle(words)  # type: ignore[attr-defined]
    order.shuffle(rules)  # type: ignore[attr-defined]
    assert tables_of(words, rules) == expected


@settings(max_examples=60)
@given(words=_page_words, rules=_grid_rules())
def test_tables_do_not_overlap_and_come_from_top_to_bottom(words: list[Word], rules: list[Rule]) -> None:
    boxes = [found.box for found in tables_of(words, rules)]
    assert all(above.top <= below.top for above, below in pairwise(boxes))
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert (
                one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top
            )


_numbers = st.floats(-1e4, 1e4) | st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e300])
_any_words = st.lists(st.builds(Word, _numbers, _numbers, _numbers, _numbers, st.text(max_size=6)), max_size=25)
_any_rules = st.lists(st.builds(Rule, _numbers, _numbers, _numbers, _numbers), max_size=15)


@settings(max_examples=100)
@given(words=_any_words, rules=_any_rules)
def test_no_words_and_rules_make_it_fail(words: list[Word], rules: list[Rule]) -> None:
    for found in tables_of(words, rules):
        assert found.table.rows
