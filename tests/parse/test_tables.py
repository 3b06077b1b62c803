"""Tables of a page: ruled, half ruled and unruled ones are found; what only looks like one is not."""

from collections.abc import Iterable, Sequence

from docpipe.parse.content import FoundTable, Rule, Word
from docpipe.parse.grid.tables import find_tables
from docpipe.tables import Cell

SIZE = 10.0
LETTER = 5.0


def line(x: float, y: float, text: str) -> list[Word]:
    """Words of a line that begins at x, its top at y."""
    words = []
    for token in text.split():
        words.append(Word(x, y, x + LETTER * len(token), y + SIZE, token))
        x += LETTER * (len(token) + 0.6)
    return words


def width_of(text: str) -> float:
    return line(0, 0, text)[-1].right if text else 0.0


def rows(
    lines: Iterable[Sequence[str]], *, lefts: Sequence[float], top: float = 100.0, pitch: float = 14.0
) -> list[Word]:
    """Cells of rows, their texts beginning at `lefts`; an empty text is an empty cell."""
    words = []
    for number, cells in enumerate(lines):
        for left, text in zip(lefts, cells, strict=True):
            words += line(left, top + pitch * number, text)
    return words


def across(y: float, left: float = 50.0, right: float = 450.0) -> Rule:
    return Rule(left, y, right, y + 0.5)


def down(x: float, top: float, bottom: float) -> Rule:
    return Rule(x, top, x + 0.5, bottom)


def lattice(xs: Sequence[float], ys: Sequence[float]) -> list[Rule]:
    """All borders of a grid."""
    return [across(y, xs[0], xs[-1]) for y in ys] + [down(x, ys[0], ys[-1]) for x in xs]


def found(words: Sequence[Word], rules: Sequence[Rule] = ()) -> list[FoundTable]:
    return find_tables(words, rules, width=595, height=842)


def texts(table: FoundTable) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.table.rows]


PRICES = [["Item", "2023", "2024"], ["Rope", "1,204", "1,310"], ["Anchor", "88", "91"], ["Lamp oil", "17.5", "–"]]
LEFTS = (60.0, 200.0, 330.0)
PROSE = (
    "the harbour office keeps a ledger of every vessel",
    "that enters the bay and each entry names the master",
    "the cargo and the hour of arrival so that when the",
    "tide is low the pilot waits at the outer buoy until",
    "the channel is deep enough for the ship to come in",
    "and the clerk may close the book for the night then",
)


def test_a_ruled_table_becomes_rows_and_columns_with_its_header() -> None:
    (table,) = found(rows(PRICES, lefts=LEFTS), lattice((50, 180, 310, 450), (96, 111, 125, 139, 153)))
    assert texts(table) == PRICES
    assert table.table.header_rows == 1
    assert table.box == (50, 96.25, 450.25, 153.25) or table.box.left <= 50.5


def test_a_ruled_table_without_outer_borders_is_closed() -> None:
    rules = [*(across(y) for y in (96, 111, 125, 139, 153)), down(180, 96, 153), down(310, 96, 153)]
    (table,) = found(rows(PRICES, lefts=LEFTS), rules)
    assert texts(table) == PRICES


def test_cells_joined_over_missing_borders_span_columns_and_rows() -> None:
    words = (
        line(60, 107, "Region")
        + line(250, 100, "Catch in tons")
        + rows([["", "2023", "2024"], ["North", "12", "15"], ["South", "7", "9"]], lefts=LEFTS, top=114)
    )
    rules = [
        *(across(y) for y in (96, 125, 139, 153)),
        across(111, 180, 450),
        *(down(x, 96, 153) for x in (50, 180, 450)),
        down(310, 111, 153),
    ]
    (table,) = found(words, rules)
    assert table.table.rows[0] == (
        Cell("Region", header=True, rowspan=2),
        Cell("Catch in tons", header=True, colspan=2),
    )
    assert texts(table)[1:] == [["2023", "2024"], ["North", "12", "15"], ["South", "7", "9"]]
    assert table.table.header_rows == 2


def test_a_cell_of_several_lines_is_joined_in_reading_order() -> None:
    words = line(60, 100, "Rope") + line(190, 100, "made of hemp and") + line(190, 112, "tarred twice")
    words += line(60, 128, "Anchor") + line(190, 128, "forged")
    (table,) = found(words, lattice((50, 180, 450), (96, 125, 140)))
    assert texts(table) == [["Rope", "made of hemp and tarred twice"], ["Anchor", "forged"]]


def test_rows_of_figures_without_lines_between_them_are_parted() -> None:
    rules = [across(96), across(111), across(153), *(down(x, 96, 153) for x in (50, 180, 310, 450))]
    (table,) = found(rows(PRICES, lefts=LEFTS), rules)
    assert texts(table) == PRICES


def test_two_ruled_tables_side_by_side_stay_two() -> None:
    left = rows([["a", "1"], ["b", "2"]], lefts=(60, 130))
    right = rows([["c", "3"], ["d", "4"]], lefts=(320, 390))
    rules = lattice((50, 120, 190), (96, 111, 125)) + lattice((310, 380, 450), (96, 111, 125))
    assert [texts(table) for table in found(left + right, rules)] == [
        [["a", "1"], ["b", "2"]],
        [["c", "3"], ["d", "4"]],
    ]


def test_a_table_with_three_horizontal_lines_only_is_found() -> None:
    words = rows(PRICES, lefts=LEFTS)
    (table,) = found(words, [across(97), across(112), across(154)])
    assert texts(table) == PRICES
    assert table.table.header_rows == 1


def test_a_heading_over_a_partial_rule_spans_the_columns_below_it() -> None:
    words = line(250, 100, "Catch in tons") + rows(
        [["Region", "2023", "2024"], ["North", "12", "15"], ["South", "7", "9"], ["East", "8", "4"]],
        lefts=LEFTS,
        top=114,
    )
    (table,) = found(words, [across(97), across(112, 190, 450), across(126), across(170)])
    assert table.table.rows[0] == (
        Cell("Region", header=True, rowspan=2),
        Cell("Catch in tons", header=True, colspan=2),
    )
    assert texts(table)[2] == ["North", "12", "15"]


def test_a_table_without_any_line_is_found_by_its_columns_of_figures() -> None:
    (table,) = found(rows(PRICES, lefts=LEFTS))
    assert texts(table) == PRICES


def test_a_label_that_wraps_continues_its_row() -> None:
    words = rows(
        [["Rope", "1", "2"], ["Anchors of the large", "3", "4"], ["", "", ""], ["Lamps", "5", "6"], ["Oars", "7", "8"]],
        lefts=LEFTS,
        pitch=12,
    ) + line(66, 124, "kind")
    (table,) = found(words)
    assert texts(table)[1] == ["Anchors of the large kind", "3", "4"]


def test_captions_and_notes_stay_out_of_a_table() -> None:
    words = line(60, 80, "Table 3: what the harbour shop sold in the two years") + rows(PRICES, lefts=LEFTS)
    words += line(60, 160, "Source: the ledgers of the harbour office, all years.")
    (table,) = found(words, [across(97), across(112), across(154)])
    assert texts(table) == PRICES


def test_one_column_of_prose_is_no_table() -> None:
    words = [word for number, text in enumerate(PROSE * 3) for word in line(60, 100 + 13 * number, text)]
    assert found(words) == []


def test_two_columns_of_prose_are_no_table() -> None:
    words = [
        word for number, text in enumerate(PROSE * 3) for x in (40, 320) for word in line(x, 100 + 13 * number, text)
    ]
    assert found(words) == []


def test_a_table_beside_prose_does_not_take_its_words() -> None:
    prose = [word for number, text in enumerate(PROSE * 2) for word in line(320, 100 + 13 * number, text)]
    table_words = rows(
        [["Rope", "12", "14"], ["Oars", "5", "7"], ["Lamps", "31", "30"], ["Oil", "9", "2"]],
        lefts=(40, 120, 180),
        pitch=13,
    )
    (table,) = found(prose + table_words)
    assert texts(table) == [["Rope", "12", "14"], ["Oars", "5", "7"], ["Lamps", "31", "30"], ["Oil", "9", "2"]]


def test_a_numbered_list_is_no_table() -> None:
    items = ["Row the boat out", "Drop the anchor slowly", "Wait for the tide", "Row back", "Close the ledger"]
    words = [
        w for n, text in enumerate(items) for w in line(60, 100 + 14 * n, f"{n + 1}.") + line(80, 100 + 14 * n, text)
    ]
    assert found(words) == []


def test_a_table_of_contents_is_no_table() -> None:
    entries = [
        ("1", "Harbour rules", "3"),
        ("2", "Tides", "9"),
        ("3", "Pilots", "14"),
        ("4", "Dues", "21"),
        ("5", "Index", "40"),
    ]
    assert found(rows(entries, lefts=(60, 80, 420))) == []


def test_an_address_block_is_no_table() -> None:
    words = rows(
        [["The Harbour Office", "Pilot House"], ["1 Quay Street", "7 Tide Lane"], ["Northport", "Southport"]],
        lefts=(60, 300),
    )
    assert found(words) == []


def test_a_box_around_text_is_no_table() -> None:
    words = [word for number, text in enumerate(PROSE) for word in line(60, 100 + 13 * number, text)]
    assert found(words, lattice((50, 450), (96, 190))) == []


def test_a_page_framed_by_lines_around_long_text_is_no_table() -> None:
    words = [word for number, text in enumerate(PROSE * 3) for word in line(80, 120 + 13 * number, text)]
    words += line(80, 100, "Notice") + line(400, 100, "No. 4") + line(55, 300, "a")
    assert found(words, lattice((50, 75, 450), (96, 115, 400))) == []


def test_a_page_without_words_has_no_tables() -> None:
    assert found([], lattice((50, 180, 450), (96, 111, 125))) == []


def test_chinese_cells_are_kept_apart() -> None:
    data = [["项目", "二〇二三", "二〇二四"], ["缆绳", "1,204", "1,310"], ["船锚", "88", "91"]]
    (table,) = found(rows(data, lefts=LEFTS), lattice((50, 180, 310, 450), (96, 111, 125, 139)))
    assert texts(table) == data
