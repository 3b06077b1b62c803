"""Tables as values, and the one way their HTML is written."""

from hypothesis import given
from hypothesis import strategies as st

from docpipe.tables import (
    Cell,
    Table,
    closed,
    column_name,
    grid,
    is_label,
    is_table,
    placed,
    read,
    row_spans,
    width,
    without_tags,
    write,
)

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


def test_a_cell_that_spans_rows_stands_in_each_of_them() -> None:
    rows = ((Cell("a", rowspan=2), Cell("b")), (Cell("c"),), (Cell("d", colspan=2),))
    standing = [[(each.column, each.cell.text, each.rows_left) for each in row] for row in placed(rows)]
    assert standing == [[(0, "a", 2), (1, "b", 1)], [(0, "a", 1), (1, "c", 1)], [(0, "d", 1)]]


@given(tables)
def test_the_cells_of_a_row_stand_in_the_order_of_their_columns(table: Table) -> None:
    for row, standing in zip(table.rows, placed(table.rows), strict=True):
        columns = [each.column for each in standing]
        assert columns == sorted(columns)
        assert [each.cell for each in standing if each.rows_left == each.cell.rowspan] == list(row)


def test_a_column_below_two_header_rows_has_both_names_and_no_title() -> None:
    header = list(
        placed(
            (
                (Cell("Ports", colspan=3),),
                (Cell("Port", rowspan=2), Cell("Ships", colspan=2)),
                (Cell("2023"), Cell("2024")),
            )
        )
    )
    assert [column_name(header, column) for column in range(3)] == ["Port", "Ships / 2023", "Ships / 2024"]
    assert column_name(header, 1, 2) == "Ships"
    assert width(header) == 3


def test_a_closed_table_reaches_no_further_than_its_last_row() -> None:
    table = Table(((Cell("a", rowspan=9), Cell("b")), (Cell("c"),)))
    assert closed(table).rows[0][0].rowspan == 2
    assert closed(closed(table)) == closed(table)


def test_one_cell_over_all_columns_is_a_label() -> None:
    (row,) = placed([(Cell("The north", colspan=3),)])
    assert is_label(row, 3)
    assert not is_label(row, 4)
    assert not is_label(row[:0], 3)
