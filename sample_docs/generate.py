"""Manuscripts -> the sample documents: `python sample_docs/generate.py [FOLDER]`, the same text on every build."""

import random
import sys
from pathlib import Path

import manuscripts
import manuscripts_zh
import pymupdf
from typeset import Press, Style, set_manuscript

HERE = Path(__file__).resolve().parent


def chart(page: pymupdf.Page, frame: pymupdf.Rect) -> None:
    """A line chart: the permeability of two modules."""
    page.draw_line(frame.bl + pymupdf.Point(24, -14), frame.br + pymupdf.Point(0, -14), width=0.7)
    page.draw_line(frame.bl + pymupdf.Point(24, -14), frame.tl + pymupdf.Point(24, 0), width=0.7)
    width, height = frame.width - 30, frame.height - 20
    for base, slope, color in ((0.15, 0.010, (0.1, 0.35, 0.6)), (0.18, 0.042, (0.7, 0.25, 0.1))):
        shares = [base + slope * month - 0.02 * (month % 2) for month in range(15)]
        points = [frame.tl + pymupdf.Point(26 + width * n / 14, height * share) for n, share in enumerate(shares)]
        page.draw_polyline(points, color=color, width=1.2)
    for month in (0, 7, 14):
        page.insert_text(
            frame.bl + pymupdf.Point(24 + width * month / 14.5, -4), f"{month}", fontname="helv", fontsize=7
        )
    for share, label in ((0.1, "100"), (0.5, "75"), (0.9, "50")):
        page.insert_text(frame.tl + pymupdf.Point(4, height * share), label, fontname="helv", fontsize=7)


def document(text: str, *, style: Style, title: str, author: str) -> pymupdf.Document:
    """A manuscript, set."""
    press = Press(style)
    if style.columns > 1:
        _set_front(press, text)
    else:
        set_manuscript(press, text, figures={"chart": chart})
    return press.finish(title=title, author=author)


def _set_front(press: Press, text: str) -> None:
    """Title and authors go over all columns; the columns of the first page begin below them."""
    front, _, rest = text.partition("## Abstract")
    columns, press.style = press.style, Style(size=press.style.size, margin=press.style.margin)
    set_manuscript(press, front, figures={})
    press.style, press.top = columns, press.y + 8
    press.y = press.top
    set_manuscript(press, "## Abstract" + rest, figures={"chart": chart})


def scanned(text: str, *, title: str) -> pymupdf.Document:
    """A page as a scanner gives it: a picture, slightly turned and speckled, without a text layer."""
    sheet = document(text, style=Style(size=13), title=title, author="")[0]
    picture = sheet.get_pixmap(matrix=pymupdf.Matrix(1.6, 1.6).prerotate(1.3), colorspace=pymupdf.csGRAY)
    dice = random.Random(2291)
    for _ in range(900):
        picture.set_pixel(dice.randrange(picture.width), dice.randrange(picture.height), (dice.randrange(60, 190),))
    scan = pymupdf.Document()
    page = scan.new_page(width=picture.width / 1.6, height=picture.height / 1.6)
    page.insert_image(page.rect, stream=picture.tobytes("jpeg", jpg_quality=55))
    date = "D:20251115081500Z"
    scan.set_metadata({"title": title, "creationDate": date, "modDate": date})
    return scan


def documents() -> dict[str, pymupdf.Document]:
    """Every PDF by its path below the folder."""
    paper = Style(
        columns=2, margin=54, size=9.6, grid=False, running_head="Notes on Island Water Supply, vol. 7 (2025)",
        running_foot="Skerrin Water Cooperative",
    )  # fmt: skip
    manual = Style(
        size=11, body="helv", running_head="Marrow Lane Pump Station", running_foot="Operator's Manual, revision 3",
        page_label="Page {page}",
    )  # fmt: skip
    figures = Style(size=10.5, body="helv", running_foot="Quarterly Figures 2025", page_label="{page} / 2")
    report = Style(size=11.5, body="helv", running_head="东礁岛供水合作社", page_label="第{page}页")
    return {
        "paper/tidal-backflush.pdf": document(
            manuscripts.PAPER, style=paper, title="Tidal Backflush for Low-Pressure Membranes on Small Islands",
            author="Ines Calder, Tomas Oyelaran",
        ),
        "manual/marrow-lane-pump-station.pdf": document(
            manuscripts.MANUAL, style=manual, title="Marrow Lane Pump Station: Operator's Manual",
            author="Skerrin Water Cooperative",
        ),
        "finance/quarterly-figures-2025.pdf": document(
            manuscripts.FIGURES, style=figures, title="Quarterly Figures 2025", author="Finance office"
        ),
        "scan/delivery-note-2291.pdf": scanned(manuscripts.DELIVERY_NOTE, title="Delivery note 2291"),
        "zh/2025年度报告.pdf": document(
            manuscripts_zh.CHINESE_REPORT, style=report, title="东礁岛供水合作社2025年度报告", author="东礁岛供水合作社"
        ),
    }  # fmt: skip


def texts() -> dict[str, str]:
    """Every document that is text itself, by its path below the folder."""
    return {
        "handbook/volunteer-handbook.md": manuscripts.HANDBOOK,
        "web/planned-interruption.html": manuscripts.NOTICE,
        "data/sensors.csv": manuscripts.SENSORS,
        "zh/居民用水须知.md": manuscripts_zh.CHINESE_NOTICE,
    }


def main(folder: Path) -> None:
    """Write all of them."""
    for name, made in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(path, garbage=4, deflate=True, no_new_id=True)
        print(f"{path.stat().st_size:8} {name}")
    for name, text in texts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.stat().st_size:8} {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
