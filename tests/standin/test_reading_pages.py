"""Printed pages are read again: whole, by halves, at any resolution, and badly on demand."""

import io
from typing import Any

import pytest
from standin import StandIn, printing
from standin_requests import data_uri, file_of, post

PARTS: list[printing.Part] = [
    ("header", "Harbour Lights"),
    ("title", "Annual Review"),
    ("heading", "1 Traffic"),
    ("text", "The ferry carried 412,000 passengers in 2024, six percent more than in the year before. " * 4),
    ("list", ["Next hull cleaning: February", "Next survey: May"]),
    ("table", [["Route", ("Crossings", 2)], ["North pier", "4,380", "12"], ["Lighthouse & bay", "2,190", "7"]]),
    ("formula", "a = b + c"),
    ("figure", 150),
    ("text", "年度报告显示渡轮运送了很多乘客。" * 6),
    ("text", "The last words of the page stand here, well below its middle. " * 3),
    ("number", "7"),
]
SHEET = printing.sheet(PARTS)
TABLE = SHEET.elements[5]["content"]


def read(platform: StandIn, data: bytes, media_type: str) -> list[list[dict[str, Any]]]:
    reply = post(platform, "/layout_parsing", file_of(data, media_type))
    assert reply.status_code == 200, reply.text
    return list(reply.json()["layout_details"])


def contents(page: list[dict[str, Any]]) -> list[str]:
    return [element["content"] for element in page]


def test_a_sheet_says_what_should_be_read() -> None:
    assert [element["native_label"] for element in SHEET.elements][:4] == [
        "header",
        "doc_title",
        "paragraph_title",
        "text",
    ]
    assert '<td colspan="2">Crossings</td>' in TABLE and "Lighthouse &amp; bay" in TABLE
    assert all(0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 for x0, y0, x1, y1 in (e["box"] for e in SHEET.elements))
    with pytest.raises(ValueError, match="no room"):
        printing.sheet([("text", "word " * 2000)])


@pytest.mark.parametrize("dpi", [40, 96, 300])
@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_a_picture_is_read_at_any_resolution(platform: StandIn, dpi: int, kind: Any) -> None:
    page = read(platform, printing.image(SHEET, dpi=dpi, format=kind, colour=dpi > 100), f"image/{kind}")[0]
    assert contents(page) == [element["content"] for element in SHEET.elements]
    assert platform.calls()[0].pages == (str(SHEET.number),)
    box, size = page[3]["bbox_2d"], (page[3]["width"], page[3]["height"])
    assert size == (round(595 / 72 * dpi), round(842 / 72 * dpi)) or abs(size[0] - 595 / 72 * dpi) < 2
    assert abs(box[1] / size[1] - SHEET.elements[3]["box"][1]) < 0.01


def test_pages_of_a_scan_keep_their_marks_when_they_are_cut_out(platform: StandIn) -> None:
    import pypdf

    sheets = printing.book(4, seed=1)
    whole = pypdf.PdfReader(io.BytesIO(printing.scan(sheets)))
    piece = pypdf.PdfWriter()
    for number in (2, 0):
        piece.add_page(whole.pages[number])
    stream = io.BytesIO()
    piece.write(stream)
    read(platform, stream.getvalue(), "application/pdf")
    assert platform.calls()[0].pages == (str(sheets[2].number), str(sheets[0].number))


def test_a_scan_that_was_printed_anew_is_read_by_its_strip(platform: StandIn) -> None:
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page(width=300, height=424)
        page.insert_image(page.rect, stream=printing.image(SHEET, dpi=120))
        data = document.tobytes()
    assert contents(read(platform, data, "application/pdf")[0])[1].startswith("<div")


def test_a_half_is_read_as_a_half(platform: StandIn) -> None:
    upper = read(platform, _part(SHEET, 0, 0.55), "image/png")[0]
    lower = read(platform, _part(SHEET, 0.45, 1), "image/png")[0]
    assert "Annual Review" in contents(upper)[1] and contents(lower)[-1] == "7"
    assert not any("last words" in content for content in contents(upper))
    assert any("last words" in content for content in contents(lower))
    assert TABLE in contents(upper) and TABLE not in contents(lower)
    half = lower[-1]["bbox_2d"][1] / lower[-1]["height"]
    assert abs(0.45 + half * 0.55 - SHEET.elements[-1]["box"][1]) < 0.01


def test_a_cut_through_a_paragraph_leaves_its_lines_on_their_sides(platform: StandIn) -> None:
    sheet = printing.sheet([("text", " ".join(f"word{n}" for n in range(450)))])
    upper = contents(read(platform, _part(sheet, 0, 0.5), "image/png")[0])[0]
    lower = contents(read(platform, _part(sheet, 0.5, 1), "image/png")[0])[0]
    assert f"{upper} {lower}" == sheet.elements[0]["content"]


def test_text_layers_are_read_and_blank_pages_are_empty(platform: StandIn) -> None:
    pages = read(platform, printing.text_pdf([SHEET, printing.blank()]), "application/pdf")
    assert "Annual Review" in contents(pages[0])[1] and pages[0][1]["native_label"] == "doc_title"
    assert pages[1] == []


def test_a_range_of_pages_is_read(platform: StandIn) -> None:
    sheets = printing.book(5, seed=2)
    body = file_of(printing.scan(sheets, dpi=60), "application/pdf") | {"start_page_id": 2, "end_page_id": 3}
    reply = post(platform, "/layout_parsing", body).json()
    assert platform.calls()[0].pages == tuple(str(sheet.number) for sheet in sheets[1:3])
    assert (len(reply["layout_details"]), len(reply["data_info"]["pages"]), reply["data_info"]["num_pages"]) == (
        2,
        2,
        5,
    )


@pytest.mark.parametrize(
    ("boxes", "wanted"),
    [
        ("pixels", lambda box, w, h: [round(box[0] * w), round(box[1] * h), round(box[2] * w), round(box[3] * h)]),
        ("fractions", lambda box, w, h: [round(value, 4) for value in box]),
        ("thousandths", lambda box, w, h: [round(value * 1000) for value in box]),
        ("nested", lambda box, w, h: [[round(v * s) for v, s in zip(box, (w, h, w, h), strict=True)]]),
    ],
)
@pytest.mark.parametrize("sizes", ["both", "element", "info", "none"])
def test_boxes_and_sizes_come_in_every_form(boxes: Any, wanted: Any, sizes: Any) -> None:
    with StandIn(boxes=boxes, sizes=sizes) as platform:
        reply = post(platform, "/layout_parsing", file_of(printing.image(SHEET, dpi=100), "image/png")).json()
    element = reply["layout_details"][0][1]
    assert element["bbox_2d"] == wanted(SHEET.elements[1]["box"], 827, 1170)
    assert ("width" in element) is (sizes in ("both", "element"))
    assert ("pages" in reply["data_info"]) is (sizes in ("both", "info"))


def test_pages_are_read_badly_in_the_ways_that_were_asked_for(platform: StandIn) -> None:
    first, second = printing.book(2, seed=3)
    scan = printing.scan([first, second])
    platform.spoil(second.number, "empty", ways=("pdf",), times=1)
    assert [bool(page) for page in read(platform, scan, "application/pdf")] == [True, False]
    assert [bool(page) for page in read(platform, scan, "application/pdf")] == [True, True]
    platform.spoil(first.number, "loop", ways=("image",))
    assert len(max(contents(read(platform, scan, "application/pdf")[0]), key=len)) < 1000
    assert len(max(contents(read(platform, printing.image(first), "image/png")[0]), key=len)) > 5000
    platform.spoil(second.number, "missing", ways=("pdf",))
    assert len(read(platform, scan, "application/pdf")) == 1


def test_tables_are_cut_boxes_lost_and_pages_refused(platform: StandIn) -> None:
    image = printing.image(SHEET)
    platform.spoil("Annual Review", "cut_table", times=1)
    assert not any("</table>" in content for content in contents(read(platform, image, "image/png")[0]))
    platform.spoil("Annual Review", "no_boxes", times=1)
    assert {element["bbox_2d"] for element in read(platform, image, "image/png")[0]} == {None}
    platform.spoil("Annual Review", "refused", code="1301")
    refused = post(platform, "/layout_parsing", file_of(image, "image/png"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "1301")


def test_crops_are_addresses(platform: StandIn) -> None:
    body = file_of(printing.image(SHEET), "image/png")
    body |= {"return_crop_images": True, "need_layout_visualization": True}
    reply = post(platform, "/layout_parsing", body).json()
    figure = reply["layout_details"][0][7]
    assert len(reply["layout_visualization"]) == 1
    assert figure["label"] == "image" and figure["content"].startswith("https://files.example.com/crops/")


def test_equal_pages_have_equal_numbers_and_others_do_not() -> None:
    assert printing.sheet(PARTS).number == SHEET.number
    assert len({sheet.number for sheet in printing.book(30)}) == 30
    assert data_uri(b"", "image/png") == "data:image/png;base64,"


def _part(sheet: printing.Sheet, start: float, end: float) -> bytes:
    import pymupdf

    whole = pymupdf.Pixmap(printing.image(sheet, dpi=150))
    box = pymupdf.IRect(0, round(whole.height * start), whole.width, round(whole.height * end))
    part = pymupdf.Pixmap(whole.colorspace, box)
    part.copy(whole, box)
    return bytes(part.tobytes("png"))
