"""Scans and images read on this machine: what is printed is found, at its place, upright or not."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from printed_pages import finished, flow, new

from docpipe import _ids
from docpipe.errors import MissingWeights
from docpipe.parse.auto import AutoParser
from docpipe.parse.ocr import OcrParser
from docpipe.parse.page.lettering import scrambled
from docpipe.parse.page.printed import Piece, PrintedLine
from docpipe.parse.pdf import PdfParser
from docpipe.parse.scan import local_engine, local_page
from docpipe.parse.scan.local_lines import Frame, Seen, as_on_page, printed, slant, words
from docpipe.parse.scan.local_outlines import type_corners
from docpipe.parse.scan.local_readings import Reading
from docpipe.pipeline.processes.work import PAGES_PER_PART, Work
from docpipe.tables import read
from docpipe.types import Blob, BlockKind, Document, Source

TEXT = "The harbour office keeps a ledger of every vessel that enters the bay."
SIZE = (420.0, 300.0)

UNKNOWN = {
    "Russian": "Портовое управление ведёт журнал каждого судна, которое входит в бухту. Капитан подаёт заявление.",
    "Arabic": "يحتفظ مكتب الميناء بسجل لكل سفينة تدخل الخليج. للحصول على تصريح يقدم القبطان طلبا.",
    "Hebrew": "משרד הנמל מנהל יומן של כל כלי שיט שנכנס למפרץ. כדי לקבל אישור הקברניט מגיש בקשה.",
    "Hindi": "बंदरगाह कार्यालय खाड़ी में प्रवेश करने वाले प्रत्येक जहाज का बहीखाता रखता है।",
    "Korean": "항만 사무소는 만으로 들어오는 모든 선박의 장부를 보관합니다.",
    "Thai": "สำนักงานท่าเรือเก็บบันทึกของเรือทุกลำที่เข้าสู่อ่าว เพื่อขออนุญาต กัปตันต้องยื่นคำร้อง",
    "Tamil": "துறைமுக அலுவலகம் விரிகுடாவிற்குள் நுழையும் ஒவ்வொரு கப்பலின் பதிவேட்டையும் வைத்திருக்கிறது.",
}
KNOWN = {
    "German": "Das Hafenamt führt ein Buch über jedes Schiff, das in die Bucht einläuft. Größere Übungen sind früh da.",
    "Polish": "Urząd portowy prowadzi rejestr każdego statku, który wpływa do zatoki. Zażółć gęślą jaźń.",
    "Japanese": "港湾事務所は湾に入るすべての船の台帳を保管しています。許可を得るには船長が申請します。",
    "capitals": "THE HARBOUR OFFICE KEEPS A LEDGER OF EVERY VESSEL THAT ENTERS THE BAY, SKU QX-4417B/7.",
}
VIETNAMESE = (
    "Văn phòng cảng giữ sổ ghi chép của mọi con tàu vào vịnh. Thuyền trưởng phải nộp đơn trước sáu giờ sáng và chờ "
    "được cấp phép trước khi rời bến. Những người dân ở đây đã quen với tiếng còi tàu mỗi buổi sớm."
)


def written(page: Any) -> None:
    page.insert_text((50, 60), "Ferry report", fontsize=22)
    flow(page, (50, 90, 380, 200), f"{TEXT} {TEXT}", size=11)


def scanned(draw: Callable[[Any], None] = written, *, turn: int = 0, slope: float = 0.0) -> Blob:
    """A PDF with one page that is nothing but a picture."""
    return finished(_with_picture(new(), picture(draw, turn=turn, slope=slope)))


def picture(draw: Callable[[Any], None] = written, *, turn: int = 0, slope: float = 0.0) -> Image.Image:
    document = new()
    page = document.new_page(width=SIZE[0], height=SIZE[1])
    draw(page)
    pixels = page.get_pixmap(dpi=150)
    image = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    document.close()
    if slope:
        image = image.rotate(-slope, resample=Image.Resampling.BICUBIC, fillcolor="white")
    return image.rotate(-turn, expand=True)


def _with_picture(document: Any, image: Image.Image) -> Any:
    held = BytesIO()
    image.save(held, "PNG")
    page = document.new_page(width=image.width * 72 / 150, height=image.height * 72 / 150)
    page.insert_image(page.rect, stream=held.getvalue())
    return document


def parsed(source: Blob, parser: OcrParser | None = None) -> Document:
    (document,) = (parser or OcrParser())(source)
    return document


def seen(text: str, left: float, top: float, right: float, bottom: float) -> Seen:
    count = max(1, len(text.strip()))
    edges = [edge / count for word in re.finditer(r"\S+", text.strip()) for edge in word.span()]
    return Seen(((left, top), (right, top), (right, bottom), (left, bottom)), Reading(text, 0.99, tuple(edges)))


class TestLines:
    def test_sizes_that_hardly_differ_are_one_and_a_title_stays_larger(self) -> None:
        lines = printed(
            [
                seen("A title", 10, 10, 90, 40),
                seen("running text of a page", 10, 50, 200, 64),
                seen("more of it, and more", 10, 70, 200, 85),
            ],
            Frame(300, 400),
        )
        assert lines[1].size == lines[2].size < 0.7 * lines[0].size

    def test_each_word_has_its_edges(self) -> None:
        (line,) = printed([seen("one two", 0, 0, 120, 10)], Frame(300, 400))
        first, second = words([line])
        assert (first.text, second.text) == ("one", "two")
        assert line.left == first.left < first.right <= second.left < second.right == line.right

    def test_a_line_whose_letters_were_not_placed_is_one_word(self) -> None:
        one = seen("one two", 0, 0, 120, 10)
        (line,) = printed([one._replace(reading=one.reading._replace(edges=(0.0, 1.0)))], Frame(300, 400))
        assert [word.text for word in words([line])] == ["one two"]

    def test_blanks_are_no_line(self) -> None:
        assert printed([Seen(((0, 0), (9, 0), (9, 9), (0, 9)), Reading("  ", 0.9, ()))], Frame(300, 400)) == []

    @given(angle=st.floats(-15, 15).filter(lambda angle: abs(angle) > 0.2), count=st.integers(1, 9))
    def test_the_slant_of_parallel_lines_is_found(self, angle: float, count: int) -> None:
        frame = Frame(600, 800, angle)
        lines = [_slanting(frame, 50, 50 + 20 * n, 500, 62 + 20 * n) for n in range(count)]
        assert slant(lines) == pytest.approx(angle, abs=1e-6)

    def test_short_lines_tell_no_slant(self) -> None:
        assert slant([_slanting(Frame(600, 800, 5), 50, 50, 70, 62)]) == 0.0

    @given(angle=st.floats(-20, 20), x=st.floats(0, 600), y=st.floats(0, 800))
    def test_levelled_and_back_is_where_it_was(self, angle: float, x: float, y: float) -> None:
        frame = Frame(600, 800, angle)
        assert frame.slanting(frame.straight((x, y))) == pytest.approx((x, y), abs=1e-6)

    def test_boxes_on_a_slanting_page_hold_the_slanting_line(self) -> None:
        frame = Frame(600, 800, 2.0)
        line = PrintedLine(50, 100, 550, 112, "text", 10, 0, (50.0, 550.0))
        (back,) = as_on_page(Piece("text", (line,), line.box, 0, 50, 550), frame).lines
        corners = [frame.slanting(point) for point in ((50, 100), (550, 100), (550, 112), (50, 112))]
        assert all(back.left - 1e-6 <= x <= back.right + 1e-6 for x, _ in corners)
        assert all(back.top - 1e-6 <= y <= back.bottom + 1e-6 for _, y in corners)
        assert back.bottom - back.top == pytest.approx(12 + 500 * math.sin(math.radians(2)), abs=0.1)


def _slanting(frame: Frame, left: float, top: float, right: float, bottom: float) -> type_corners:
    points = [frame.slanting(point) for point in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return points[0], points[1], points[2], points[3]


class TestPictures:
    @pytest.mark.parametrize("shape", [(10, 2000, 3), (2000, 10, 3), (1, 1, 3)])
    def test_flat_and_narrow_ones_get_room_and_keep_their_corner(self, shape: tuple[int, int, int]) -> None:
        flat = np.full(shape, 7, np.uint8)
        padded = local_engine._padded(flat)
        assert min(padded.shape[:2]) >= 0.4 * max(shape) - 1 and max(padded.shape[:2]) == max(shape[:2])
        assert (padded == 7).all()


class TestParser:
    @pytest.mark.parametrize("dpi", [71, 301])
    def test_a_resolution_that_reads_nothing_is_refused(self, dpi: int) -> None:
        with pytest.raises(ValueError, match="dpi must be 72 to 300"):
            OcrParser(dpi=dpi)

    def test_a_page_with_a_sound_text_layer_is_never_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_page, "page", None)
        document = new()
        written(document.new_page())
        source = finished(document)
        assert parsed(source) == parsed_as_pdf(source)

    def test_a_scan_under_its_own_invisible_text_is_not_read_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_page, "page", None)
        document = _with_picture(new(), picture())
        page = document[0]
        page.insert_text((50, 60), "Ferry report", fontsize=22, render_mode=3)
        page.insert_textbox((50, 90, 380, 200), f"{TEXT} {TEXT}", fontsize=11, render_mode=3)
        found = parsed(finished(document))
        assert folded(found.text).count(TEXT) == 2 and not found.pages[0].needs_ocr

    def test_without_ocr_scans_stay_marked(self) -> None:
        assert parsed(scanned(), OcrParser(ocr="never")).pages[0].needs_ocr
        assert parsed(png(picture()), OcrParser(ocr="never")).pages[0].needs_ocr

    def test_long_scans_are_parted_finely_and_text_is_not(self) -> None:
        def part(parser: Any) -> int:
            return Work(loaders=(), parser=parser, chunker=lambda document: ())._pages_per_part

        assert part(OcrParser()) == part(AutoParser(pdf=OcrParser())) == OcrParser.pages_per_part  # type: ignore[arg-type]
        assert part(AutoParser()) == part(PdfParser()) == PAGES_PER_PART

    def test_what_to_install_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        missing = replace(local_engine._DETECTION, carrier="no-such-carrier")
        monkeypatch.setattr(local_engine, "_DETECTION", missing)
        with pytest.raises(MissingWeights, match=r"no-such-carrier 0\.1\.0"):
            parsed(scanned())


def parsed_as_pdf(source: Blob) -> Document:
    return next(iter(PdfParser()(source)))


def png(image: Image.Image) -> Blob:
    held = BytesIO()
    image.save(held, "PNG")
    data = held.getvalue()
    source = Source(uri="a.png", media_type="image/png", digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


def folded(text: str) -> str:
    return " ".join(text.split())


def _often(language: str, text: str) -> Any:
    """One language of each kind is tried every time, all of them in the slow lane."""
    marks = () if language in ("Russian", "Polish") else (pytest.mark.slow,)
    return pytest.param(text, id=language, marks=marks)


class TestReading:
    def test_a_scan_is_read_with_its_title_and_places(self) -> None:
        document = parsed(scanned())
        title, *rest = document.blocks
        assert document.text[title.span.start : title.span.end] == "Ferry report"
        assert title.kind in (BlockKind.TITLE, BlockKind.HEADING)
        assert title.bbox is not None and title.bbox.left == pytest.approx(50 / 420, abs=0.02)
        assert title.bbox.top < 60 / 300 < title.bbox.bottom + 0.02
        assert folded(document.text).count(TEXT) == 2 and len(rest) == 1
        assert not document.pages[0].needs_ocr

    def test_an_image_reads_as_its_scan_does(self) -> None:
        document = next(iter(AutoParser(pdf=OcrParser())(png(picture()))))  # type: ignore[arg-type]
        assert folded(document.text).count(TEXT) == 2

    @pytest.mark.parametrize(
        "turn", [90, pytest.param(180, marks=pytest.mark.slow), pytest.param(270, marks=pytest.mark.slow)]
    )
    def test_a_turned_page_is_read_and_placed_as_shown(self, turn: int) -> None:
        document = parsed(scanned(turn=turn))
        assert folded(document.text).count(TEXT) == 2
        box = document.blocks[0].bbox
        assert box is not None
        places = {90: (box.top, 50 / 420), 180: (1 - box.right, 50 / 420), 270: (1 - box.bottom, 50 / 420)}
        measured, expected = places[turn]
        assert measured == pytest.approx(expected, abs=0.02)

    @pytest.mark.parametrize("slope", [-4.0, pytest.param(3.0, marks=pytest.mark.slow)])
    def test_a_page_that_slants_is_read_in_order(self, slope: float) -> None:
        assert folded(parsed(scanned(slope=slope)).text).count(TEXT) == 2

    def test_chinese_is_read(self) -> None:
        def draw(page: Any) -> None:
            page.insert_text((50, 60), "港务局登记每一艘进港的船只。", fontsize=16, fontname="china-s")

        assert "港务局登记每一艘进港的船只" in parsed(scanned(draw)).text

    @pytest.mark.parametrize("text", [_often(language, text) for language, text in UNKNOWN.items()])
    def test_a_script_that_the_networks_do_not_know_is_marked_and_not_told_as_another(self, text: str) -> None:
        document = parsed(scanned(lambda page: page.insert_htmlbox((30, 30, 400, 280), f"<p>{text}</p>")))
        assert document.pages[0].needs_ocr and len(document.text) < 0.1 * len(text)

    @pytest.mark.parametrize("text", [_often(language, text) for language, text in KNOWN.items()])
    def test_a_language_that_they_know_is_not_marked(self, text: str) -> None:
        document = parsed(scanned(lambda page: page.insert_htmlbox((30, 30, 400, 280), f"<p>{text}</p>")))
        assert not document.pages[0].needs_ocr and 0.95 < len(document.text) / len(text) < 1.05

    @pytest.mark.slow
    @pytest.mark.parametrize("signs", ["." * 60, "*" * 40, "-" * 50, "=" * 40, "_" * 30], ids=repr)
    def test_ornaments_are_no_text_that_could_not_be_read(self, signs: str) -> None:
        def draw(page: Any) -> None:
            page.insert_text((30, 60), f"1 Introduction {signs} 3", fontsize=9)
            page.insert_text((30, 90), signs, fontsize=9)

        assert not parsed(scanned(draw)).pages[0].needs_ocr

    def test_a_paragraph_that_cannot_be_read_marks_its_page(self) -> None:
        both = f"<p>{TEXT} {TEXT} {TEXT}</p><p>{UNKNOWN['Russian']}</p>"
        document = parsed(scanned(lambda page: page.insert_htmlbox((30, 30, 400, 280), both)))
        assert document.pages[0].needs_ocr and folded(document.text) == f"{TEXT} {TEXT} {TEXT}"

    def test_lost_letters_of_a_language_mark_its_pages(self) -> None:
        document = parsed(scanned(lambda page: page.insert_htmlbox((30, 30, 400, 280), f"<p>{VIETNAMESE}</p>")))
        assert document.pages[0].needs_ocr

    def test_a_ruled_table_keeps_rows_and_cells(self) -> None:
        rows = [["Route", "Passengers"], ["North pier", "251,000"], ["Lighthouse", "161,000"]]

        def draw(page: Any) -> None:
            for row, cells in enumerate(rows):
                for column, text in enumerate(cells):
                    left, top = 50 + 150 * column, 60 + 30 * row
                    page.draw_rect((left, top, left + 150, top + 30))
                    page.insert_text((left + 10, top + 20), text, fontsize=11)

        document = parsed(scanned(draw))
        (block,) = [block for block in document.blocks if block.kind is BlockKind.TABLE]
        table = read(block.span.of(document.text))
        assert table is not None
        assert [[cell.text for cell in row] for row in table.rows] == rows

    def test_a_scanned_table_beside_a_text_layer_is_read_once_and_in_its_place(self) -> None:
        def draw(page: Any) -> None:
            for row in range(3):
                for column in range(2):
                    left, top = 20 + 190 * column, 40 + 60 * row
                    page.draw_rect((left, top, left + 190, top + 60))
                    page.insert_text((left + 10, top + 35), f"cell {row} {column} of {7 * row}", fontsize=16)

        document = new()
        page = document.new_page(width=595, height=842)
        flow(page, (80, 80, 500, 200), f"{TEXT} {TEXT}")
        held = BytesIO()
        picture(draw).save(held, "PNG")
        page.insert_image((80, 260, 500, 560), stream=held.getvalue())
        flow(page, (80, 600, 500, 700), "What follows the table is printed below it, in the text layer. " * 2)
        found = parsed(finished(document))
        (table,) = [block for block in found.blocks if block.kind is BlockKind.TABLE]
        assert [cell.text for cell in read(table.span.of(found.text)).rows[2]] == ["cell 2 0 of 14", "cell 2 1 of 14"]
        assert table.bbox is not None and table.bbox.top > 250 / 842 and table.bbox.bottom < 570 / 842
        assert found.text.count("ledger") == 2 and found.text.count("cell 1 0") == 1
        assert found.text.index("ledger") < found.text.index("cell 1 0") < found.text.index("What follows")

    def test_a_picture_with_a_stamp_in_the_text_layer_is_read_once(self) -> None:
        document = new()
        page = document.new_page(width=595, height=842)
        flow(page, (80, 80, 500, 200), f"{TEXT} {TEXT}")
        held = BytesIO()
        picture().save(held, "PNG")
        page.insert_image((80, 260, 500, 560), stream=held.getvalue())
        page.insert_text((300, 540), "COPY 17", fontsize=14)
        found = parsed(finished(document))
        assert folded(found.text).count(TEXT) == 4 and found.text.count("COPY 17") == 1

    def test_a_text_layer_of_font_codes_is_not_trusted(self) -> None:
        document = new()
        page = document.new_page(width=420, height=300)
        page.insert_htmlbox((40, 40, 380, 260), f"<p>{TEXT} {TEXT} {TEXT} {TEXT}</p>")
        for xref in range(1, document.xref_length()):
            if document.xref_is_font(xref):
                document.xref_set_key(xref, "ToUnicode", "null")
        found = parsed(finished(document))
        assert folded(found.text).count(TEXT) == 4 and not found.pages[0].needs_ocr

    def test_a_scan_under_a_watermark_is_read(self) -> None:
        document = _with_picture(new(), picture())
        page = document[0]
        middle = (page.rect.tl + page.rect.br) / 2
        turn = page.derotation_matrix.prerotate(45)
        page.insert_text((120, 150), "CONFIDENTIAL", fontsize=30, morph=(middle, turn), color=(0.9, 0.9, 0.9))
        assert folded(parsed(finished(document)).text).count("harbour office") == 2

    def test_an_empty_page_is_read_and_done(self) -> None:
        document = parsed(scanned(lambda page: None))
        assert document.text == "" and not document.pages[0].needs_ocr

    def test_noise_is_not_taken_for_text(self) -> None:
        noise = np.random.default_rng(3).integers(0, 255, (300, 400, 3), np.uint8)
        document = parsed(png(Image.fromarray(noise)))
        assert len(document.text) < 20

    def test_parts_give_what_the_whole_gives(self) -> None:
        pages = new()
        for _ in range(2):
            _with_picture(pages, picture())
        source, parser = finished(pages), OcrParser()
        parts = [parser.parse_pages(source, 0, 1), parser.parse_pages(source, 1, 2)]
        assert parser.merge(source.source, parts) == parsed(source)


class TestScrambledText:
    @pytest.mark.parametrize("shift", [-31, -30, -29, 1, 3])
    def test_codes_taken_for_letters_are_no_text(self, shift: int) -> None:
        text = f"{TEXT} {TEXT} {TEXT} {TEXT} {TEXT}"
        codes = "".join(chr(max(33, ord(letter) + shift)) if letter != " " else " " for letter in text)
        assert scrambled(codes) and not scrambled(text)

    def test_another_code_page_is_no_text(self) -> None:
        russian = 3 * UNKNOWN["Russian"].replace(" ", "")
        assert scrambled(russian.encode("cp1251").decode("latin-1", "replace"))

    @pytest.mark.parametrize("text", [*KNOWN.values(), VIETNAMESE, *UNKNOWN.values()])
    def test_languages_are_text(self, text: str) -> None:
        assert not scrambled(5 * text)

    def test_tables_of_figures_and_codes_are_text(self) -> None:
        assert not scrambled("QX-4417B 3,533,692 12.5 % 2025-11-14 " * 20)
