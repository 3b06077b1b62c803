"""Tables as values, and the one way their HTML is written."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe.tables import Cell, Table, grid, is_table, read, row_spans, without_tags, write

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: " ".join(text.split()))
cells = st.builds(Cell, words, st.booleans(), st.integers(1, 9), st.integers(1, 9))
tables = st.builds(Table, st.lists(st.lists(cells, max_size=5).map(tuple), max_size=6).map(tuple))


@given(tables)
def test_what_was_written_can_be_read(table: Table) -> None:
    assert read(write(table).html) == table


@given(tables)
def test_spans_point_at_each_cells_text(table: Table) -> None:
    from html import unescape

    text = write(table)
    for row, spans in zip(table.rows, text.spans, strict=True):
        assert [unescape(text.html[a:b]) for a, b in spans] == [cell.text for cell in row]


@given(tables)
def test_rows_are_lines(table: Table) -> None:
    html = write(table).html
    assert [html[a:b] for a, b in row_spans(html)] == html.splitlines()[1:-1]


def test_header_rows_are_those_at_the_top_that_hold_only_headers() -> None:
    assert grid([["a", "b"], ["c", "d"], ["1", "2"]], header_rows=2).header_rows == 2
    assert Table(((Cell("a"), Cell("b")),)).header_rows == 0


def test_a_person_reads_cells_parted_by_bars() -> None:
    html = write(grid([["Name", "Size < 3"], ["pump", "2 & 3"]])).html
    assert without_tags("Sizes\n" + html) == "Sizes\n\nName | Size < 3\npump | 2 & 3"


def test_text_that_is_no_table_is_left_alone() -> None:
    text = "if a < b and c > d: <td> is a tag"
    assert not is_table(text)
    assert without_tags(text) == text


def test_a_slice_of_rows_is_a_table_too() -> None:
    html = write(grid([["a"], ["b"], ["c"]])).html
    start, end = row_spans(html)[1]
    assert read(html[start:end]).rows == ((Cell("b"),),)
