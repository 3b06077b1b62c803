"""Delimited text: one table, whatever the sign between the cells."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import tables
from docpipe.parse.delimited import DelimitedParser
from docpipe.types import Blob, BlockKind, Source


def rows(document: Any) -> list[list[str]]:
    (block,) = document.blocks
    assert block.kind is BlockKind.TABLE
    return [[cell.text for cell in row] for row in tables.read(block.span.of(document.text)).rows]


@pytest.mark.parametrize("sign", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(parse: Any, sign: str) -> None:
    text = f'name{sign}place\n"Smith{sign}John"{sign}Rome, Italy\nAnn{sign}"he said ""no"""\n'
    if sign == ",":
        text = text.replace("Rome, Italy", '"Rome, Italy"')
    assert rows(parse(DelimitedParser(), text)) == [
        ["name", "place"],
        [f"Smith{sign}John".replace("\t", " "), "Rome, Italy"],
        ["Ann", 'he said "no"'],
    ]


def test_the_first_row_is_the_header_unless_it_holds_numbers(parse: Any) -> None:
    def header_rows(text: str) -> int:
        return tables.read(parse(DelimitedParser(), text).text).header_rows

    assert header_rows("name,age\nAnn,3\n") == 1
    assert header_rows("Ann,3\nBob,4\n") == 0


def test_rows_of_unequal_length_and_empty_lines_are_no_error(parse: Any) -> None:
    assert rows(parse(DelimitedParser(), "a,b\n\n1\n,,\n1,2,3\n")) == [["a", "b"], ["1"], ["1", "2", "3"]]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest(parse: Any) -> None:
    text = 'a,b\n1,"open\n' + "x,y\n" * 40_000
    found = rows(parse(DelimitedParser(), text))
    assert found[0] == ["a", "b"] and found[-1] == ["x", "y"] and len(found) > 39_000


def test_many_rows_are_one_table(parse: Any) -> None:
    found = rows(parse(DelimitedParser(), "n,m\n" + "".join(f"{n},{n}\n" for n in range(5_000))))
    assert len(found) == 5_001 and found[-1] == ["4999", "4999"]


def test_other_encodings_are_read(parse: Any) -> None:
    assert rows(parse(DelimitedParser(), "城市,人口\n北京,大\n".encode("utf-16"))) == [["城市", "人口"], ["北京", "大"]]


@pytest.mark.parametrize("data", [b"", b"\n\n", b",,\n,"])
def test_a_file_without_cells_is_an_empty_document(parse: Any, data: bytes) -> None:
    assert parse(DelimitedParser(), data).blocks == ()


def test_a_delimiter_of_two_signs_is_refused() -> None:
    with pytest.raises(ValueError, match="one character or nothing, got '::'"):
        DelimitedParser(delimiter="::")


@given(cells=st.lists(st.lists(st.text('ab,;|\t"\n\r<&中 ', max_size=6), min_size=2, max_size=3), max_size=5))
def test_what_a_csv_writer_wrote_is_read(cells: list[list[str]]) -> None:
    import csv
    import io

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(cells)
    data = buffer.getvalue().encode()
    source = Source(uri="a", media_type="text/csv", digest="", size=len(data), modified=0)
    (document,) = DelimitedParser(delimiter=",")(Blob(source=source, data=data))
    wanted = [[" ".join(cell.split()) for cell in row] for row in cells if any(cell.strip() for cell in row)]
    assert (rows(document) if document.blocks else []) == wanted


def test_lines_above_the_header_are_paragraphs(parse: Any) -> None:
    text = "Ducks of the lake\nMade on 2024-01-01,,\n\nname,age,town\nLi,3,Rome\nBo,4,Oslo\n"
    document = parse(DelimitedParser(), text)
    kinds = [(block.kind, block.span.of(document.text)) for block in document.blocks]
    assert kinds[:2] == [(BlockKind.PARAGRAPH, "Ducks of the lake"), (BlockKind.PARAGRAPH, "Made on 2024-01-01")]
    table = tables.read(kinds[2][1])
    assert table.header_rows == 1 and [cell.text for cell in table.rows[0]] == ["name", "age", "town"]


def test_a_first_line_that_names_the_delimiter_is_no_row(parse: Any) -> None:
    assert rows(parse(DelimitedParser(), "sep=;\nname;price\nLi;3,50\n")) == [["name", "price"], ["Li", "3,50"]]


def test_years_beside_a_name_are_a_header(parse: Any) -> None:
    assert tables.read(parse(DelimitedParser(), "duck,2019,2020\nwild,1,2\n").text).header_rows == 1


def test_one_line_of_megabytes_is_text(parse: Any) -> None:
    document = parse(DelimitedParser(), "a,b," * 1_500_000)
    assert document.text == "a,b," * 1_500_000 and document.metadata["not_valid"]
