"""One row of a long table, asked for: it is found, told with the names of its columns, and proved where it stands."""

import printed_pages as draw
import printed_tables as tables
import pytest
from asked_tables import Asked, asked
from office_samples import blob as office_file
from office_samples import sheet, xlsx
from printed_tables import HEADER, goods

from docpipe import _ids
from docpipe.parse.delimited import DelimitedParser
from docpipe.parse.ocr import OcrParser
from docpipe.parse.pdf import PdfParser
from docpipe.parse.xlsx import XlsxParser
from docpipe.types import Blob, Citation, Source

COUNTS = (31, 31, 20)
ROWS = {row[0]: row for row in goods(1000, sum(COUNTS))}


def stores() -> Blob:
    """A price list over three pages, its header on each."""
    pdf, first = draw.new(), 1000
    for number, count in enumerate(COUNTS):
        page = pdf.new_page()
        if not number:
            draw.put(page, 60, 60, "Stores of the harbour", size=18)
            draw.put(page, 60, 92, "Table 1: Prices of parts in pounds")
        tables.ruled(page, [HEADER, *goods(first, count)], top=120 if not number else 100)
        draw.put(page, 300, 825, str(number + 1))
        first += count
    return draw.finished(pdf)


@pytest.fixture(scope="module")
def priced() -> Asked:
    (document,) = PdfParser()(stores())
    return asked(document)


def proof(index: Asked, question: str) -> Citation:
    """The first thing that the answer quotes."""
    return index.answer(question).citations[0]


def place(number: int) -> tuple[int, float]:
    """The page of an item's row, and where it begins there as a fraction of the page."""
    for page, (first, count) in enumerate(zip((1000, 1031, 1062), COUNTS, strict=True), start=1):
        if number < first + count:
            top = (120 if page == 1 else 100) + tables.PITCH * (number - first + 1)
            return page, top / 842
    raise ValueError(number)


@pytest.mark.parametrize("number", [1000, 1013, 1030, 1031, 1042, 1061, 1062, 1081])
@pytest.mark.parametrize("question", ["What did item {} cost?", "Price of item {}"])
def test_a_row_of_a_joined_table_is_quoted_with_its_boxes(priced: Asked, number: int, question: str) -> None:
    found = proof(priced, question.format(number))
    page, top = place(number)
    assert found.verified
    assert found.quote == " | ".join(ROWS[str(number)])
    assert found.pages == (page,)
    assert len(found.boxes) == 4
    assert all(box.page == page and top <= box.top < box.bottom <= top + tables.PITCH / 842 for box in found.boxes)


def test_the_answer_names_the_columns(priced: Asked) -> None:
    answer = priced.answer("What did item 1042 cost?")
    _, part, stock, price = ROWS["1042"]
    assert answer.text.startswith(f"Item: 1042; Part: {part}; Stock: {stock}; Price: {price} [1]")


def test_a_row_that_is_not_there_is_not_made_up(priced: Asked) -> None:
    assert "9342" not in priced.answer("What did item 9342 cost?").text


def test_a_row_of_a_csv_file_is_quoted() -> None:
    text = "\n".join(",".join(row) for row in [HEADER, *goods(5000, 300)])
    data = text.encode()
    source = Source(uri="more.csv", media_type="text/csv", digest=_ids.digest(data), size=len(data), modified=0)
    (document,) = DelimitedParser()(Blob(source=source, data=data))
    found = proof(asked(document), "How many of item 5123 are in stock?")
    assert (found.quote, found.verified, found.boxes) == (" | ".join(goods(5123, 1)[0]), True, ())


def test_a_row_of_a_workbook_is_quoted_with_the_number_of_its_sheet() -> None:
    def filled(first: int) -> str:
        rows = [HEADER, *goods(first, 60)]
        return sheet({f"{'ABCD'[c]}{r}": text for r, row in enumerate(rows, start=1) for c, text in enumerate(row)})

    book = office_file(xlsx(filled(1000), filled(3000), names=("North", "South")))
    (document,) = XlsxParser()(book)
    found = proof(asked(document), "What is the price of item 3042?")
    assert found.verified
    assert found.pages == (2,)
    assert found.quote.startswith(f"3042 | {goods(3042, 1)[0][1]}")


@pytest.mark.slow
def test_a_row_read_by_ocr_is_quoted_with_its_boxes() -> None:
    scanned = draw.new()
    import pymupdf

    with pymupdf.open(stream=stores().data) as printed:
        for page in list(printed)[:2]:
            picture = page.get_pixmap(dpi=150)
            scanned.new_page().insert_image((0, 0, 595, 842), pixmap=picture)
    (document,) = OcrParser()(draw.finished(scanned))
    found = proof(asked(document), "What did item 1042 cost?")
    page, top = place(1042)
    assert found.verified
    assert found.quote.startswith("1042 | ")
    assert {box.page for box in found.boxes} == {page}
    assert all(top - 0.004 <= box.top < box.bottom <= top + tables.PITCH / 842 + 0.004 for box in found.boxes)
