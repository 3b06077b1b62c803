"""Long tables cut into groups of rows: what holds for a row stands in its chunk, whatever row the group begins with."""

from collections.abc import Callable

from docpipe.chat.sentences import statements
from docpipe.chunk.layout import LayoutChunker
from docpipe.tables import Cell, Table, write
from docpipe.types import BlockKind, Chunk, Document

Make = Callable[..., Document]
TWO_ROWS = (
    (Cell("Item", True, 1, 2), Cell("Revenue", True, 2, 1), Cell("Cost", True, 1, 2)),
    (Cell("2023", True), Cell("2024", True)),
)


def chunks(make: Make, *rows: tuple[Cell, ...], max_tokens: int = 80) -> list[Chunk]:
    """The chunks of a document with nothing but this table."""
    html = write(Table(tuple(rows))).html
    return list(LayoutChunker(max_tokens=max_tokens)(make([(BlockKind.TABLE, 0, html)])))


def cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text) for text in texts)


def told(chunks: list[Chunk]) -> list[str]:
    return [statement.told for chunk in chunks for statement in statements(chunk) if statement.is_row]


def test_two_header_rows_stand_before_later_rows_as_one_row_of_names(make: Make) -> None:
    first, *later = chunks(make, *TWO_ROWS, *(cells(f"rope {n}", f"{n}1", f"{n}2", f"{n}3") for n in range(40)))
    assert first.text.startswith("<table>\n<tr><th rowspan=")
    assert len(later) > 2
    for chunk in later:
        assert chunk.content.startswith("Item | Revenue / 2023 | Revenue / 2024 | Cost\nrope ")


def test_rows_under_two_header_rows_are_told_with_both_names(make: Make) -> None:
    rows = [cells(f"rope {n}", f"{n}1", f"{n}2", f"{n}3") for n in range(40)]
    assert told(chunks(make, *TWO_ROWS, *rows)) == [
        f"Item: rope {n}; Revenue / 2023: {n}1; Revenue / 2024: {n}2; Cost: {n}3" for n in range(40)
    ]


def test_a_cell_that_spans_rows_holds_for_each_of_them_in_every_chunk(make: Make) -> None:
    header = (Cell("Region", True), Cell("Port", True), Cell("Ships", True))
    rows = [(Cell("North", rowspan=20), *cells("port 0", "0")), *(cells(f"port {n}", str(n)) for n in range(1, 20))]
    rows += [(Cell("South", rowspan=20), *cells("port 20", "20")), *(cells(f"port {n}", str(n)) for n in range(21, 40))]
    found = chunks(make, header, *rows)
    assert len(found) > 2
    assert told(found) == [f"Region: {'North' if n < 20 else 'South'}; Port: port {n}; Ships: {n}" for n in range(40)]
    assert all("North" in chunk.content or "South" in chunk.content for chunk in found)


def test_a_cell_that_spans_rows_in_the_middle_does_not_move_the_others(make: Make) -> None:
    header = tuple(Cell(name, True) for name in ("Port", "Region", "Ships"))
    rows = [(Cell("port 0"), Cell("North", rowspan=30), Cell("0")), *(cells(f"port {n}", str(n)) for n in range(1, 30))]
    found = told(chunks(make, header, *rows))
    assert found == [f"Port: port {n}; Region: North; Ships: {n}" for n in range(30)]


def test_the_label_over_a_section_of_rows_holds_for_all_of_them(make: Make) -> None:
    header = tuple(Cell(name, True) for name in ("Port", "Ships", "Crew"))
    rows = []
    for label, is_header in (("The north", False), ("The south", True)):
        rows.append((Cell(label, is_header, colspan=3),))
        rows += [cells(f"port {n}", str(n), str(2 * n)) for n in range(20)]
    found = chunks(make, header, *rows)
    wanted = [
        f"{label}; Port: port {n}; Ships: {n}; Crew: {2 * n}" for label in ("The north", "The south") for n in range(20)
    ]
    assert [row for row in told(found) if "Port" in row] == wanted
    assert all("The north" in chunk.content or "The south" in chunk.content for chunk in found)


def test_a_title_over_the_whole_header_names_no_column(make: Make) -> None:
    title = (Cell("Ships by port", True, colspan=2),)
    header = (Cell("Port", True), Cell("Ships", True))
    found = chunks(make, title, header, *(cells(f"port {n}", str(n)) for n in range(30)))
    assert found[-1].content.startswith("Ships by port\nPort | Ships\nport ")
    assert told(found) == [f"Port: port {n}; Ships: {n}" for n in range(30)]


def test_what_stands_over_a_group_of_rows_is_counted_into_its_chunk(make: Make) -> None:
    rows = [(Cell("the long name of a region " * 3, rowspan=60), *cells("port 0", "0"))]
    rows += [cells(f"port {n}", str(n)) for n in range(1, 60)]
    found = chunks(make, (Cell("Region", True), Cell("Port", True), Cell("Ships", True)), *rows)
    assert all(chunk.token_count <= 80 for chunk in found)
    assert all(chunk.context for chunk in found[1:])
