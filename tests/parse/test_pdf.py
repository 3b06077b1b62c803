"""PdfParser on drawn pages: order, names and places of what was printed."""

import pickle
from itertools import pairwise

import printed_pages as draw
import pytest

from docpipe.errors import CorruptSource, EncryptedSource
from docpipe.parse.pdf import PdfParser
from docpipe.types import Blob, BlockKind, Document


def parsed(blob: Blob, **options: str) -> Document:
    (document,) = PdfParser(**options)(blob)
    return document


NOTE = "Open from May to September. Closed on holidays. Ask the warden for keys."
NO_PAGES = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n"
COLOURS = ("red", "blue", "green", "black", "white", "brown", "grey")


def sentences(prefix: str, count: int) -> str:
    """Numbered sentences, to see their order."""
    return " ".join(
        f"{prefix} sentence {number} tells about the ships in the old harbour." for number in range(1, count + 1)
    )


def test_two_columns_are_read_one_after_the_other_below_a_title_across_both() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.put(page, 60, 70, "A title that runs across both of the columns", size=20)
    draw.flow(page, (60, 100, 290, 400), sentences("Left", 9))
    draw.flow(page, (310, 100, 540, 400), sentences("Right", 9))
    document = parsed(draw.finished(pdf))
    assert document.blocks[0].kind is BlockKind.TITLE
    places = [document.text.index(f"{side} sentence {n}") for side in ("Left", "Right") for n in range(1, 10)]
    assert places == sorted(places)


def test_three_columns_are_read_from_left_to_right() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    for number, name in enumerate(("First", "Second", "Third")):
        left = 50 + number * 175
        draw.flow(page, (left, 80, left + 155, 500), sentences(name, 8))
    document = parsed(draw.finished(pdf))
    places = [document.text.index(f"{name} sentence {n}") for name in ("First", "Second", "Third") for n in range(1, 9)]
    assert places == sorted(places)


def test_a_margin_note_does_not_cut_through_the_text_beside_it() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (30, 103, 130, 300), NOTE, size=8)
    draw.flow(page, (170, 100, 550, 420), sentences("Main", 20))
    document = parsed(draw.finished(pdf))
    main = draw.containing(document, "Main sentence 1 ")
    assert "Open from May" not in main.span.of(document.text)
    note = draw.containing(document, "Open from May")
    assert (note.kind, note.native_label) == (BlockKind.OTHER, "aside")
    assert note.span.start > main.span.end


def test_a_heading_between_columns_parts_them_into_bands() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 60, 290, 200), sentences("One", 6))
    draw.flow(page, (310, 60, 540, 200), sentences("Two", 6))
    draw.put(page, 60, 240, "A heading that stands across the whole of the page, both columns", size=15)
    draw.flow(page, (60, 260, 290, 420), sentences("Three", 6))
    draw.flow(page, (310, 260, 540, 420), sentences("Four", 6))
    text = parsed(draw.finished(pdf)).text
    order = [
        text.index(words)
        for words in ("One sentence 1", "Two sentence 1", "A heading", "Three sentence", "Four sentence")
    ]
    assert order == sorted(order)


def running(pages: int) -> Blob:
    """Pages with a running header, a footer and page numbers."""
    pdf = draw.new()
    for number in range(1, pages + 1):
        page = pdf.new_page()
        draw.put(page, 60, 40, "The harbour almanac")
        draw.flow(page, (60, 100, 540, 400), sentences(f"The {COLOURS[number - 1]} pilot's", 5))
        draw.put(page, 60, 800, f"Printed {1900 + number} by the port")
        draw.put(page, 520, 820, str(number + 6))
    return draw.finished(pdf)


def test_running_lines_are_named_and_stand_after_all_else() -> None:
    document = parsed(running(4))
    assert draw.of(document, BlockKind.HEADER) == ["The harbour almanac"] * 4
    assert draw.of(document, BlockKind.FOOTER) == [f"Printed {1900 + n} by the port" for n in range(1, 5)]
    assert draw.of(document, BlockKind.PAGE_NUMBER) == ["7", "8", "9", "10"]
    kinds = [block.kind for block in document.blocks]
    assert kinds.index(BlockKind.HEADER) > max(n for n, kind in enumerate(kinds) if kind is BlockKind.PARAGRAPH)


def test_pages_with_nothing_but_one_running_line_each_are_no_pages_of_furniture() -> None:
    pdf = draw.new()
    for number in range(4):
        draw.put(pdf.new_page(), 60, 60, f"Potato {number}")
    document = parsed(draw.finished(pdf))
    assert [block.span.of(document.text) for block in document.blocks if block.is_content] == [
        f"Potato {number}" for number in range(4)
    ]


def test_the_document_does_not_depend_on_how_pages_were_divided() -> None:
    blob, parser = running(7), PdfParser()
    whole = parsed(blob)
    for cuts in ([0, 7], [0, 1, 7], [0, 3, 5, 7], list(range(8))):
        parts = [parser.parse_pages(blob, start, stop) for start, stop in pairwise(cuts)]
        assert parser.merge(blob.source, parts) == whole
    assert parser.page_count(blob) == 7


def test_a_hyphen_of_a_line_end_is_mended_and_one_of_a_compound_is_kept() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    for number, line in enumerate(
        (
            "A well-known pilot once said that every naviga-",
            "tion mark has its keeper, and that a well-",
            "known keeper has no need of a second mark.",
        )
    ):
        draw.put(page, 60, 100 + 13 * number, line)
    document = parsed(draw.finished(pdf))
    assert "every navigation mark" in document.text
    assert "a well-known keeper" in document.text


def test_ligatures_and_soft_hyphens_become_plain_letters() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    import pymupdf

    page.insert_font(fontname="F0", fontbuffer=pymupdf.Font("tiro").buffer)
    draw.put(page, 60, 100, "The of\ufb01ce keeps a \ufb02ag and a sig\u00ad", font="F0")
    draw.put(page, 60, 113, "nal lamp for the night.", font="F0")
    assert parsed(draw.finished(pdf)).text == "The office keeps a flag and a signal lamp for the night."


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_page_reads_as_if_it_were_not(rotation: int) -> None:
    def page_of(turn: int) -> Document:
        pdf = draw.new()
        page = pdf.new_page(width=400, height=600)
        draw.flow(page, (40, 60, 360, 300), sentences("Body", 6))
        page.set_rotation(turn)
        return parsed(draw.finished(pdf))

    flat, turned = page_of(0), page_of(rotation)
    assert turned.text == flat.text
    assert (turned.pages[0].width > turned.pages[0].height) == (rotation in (90, 270))
    assert turned.blocks[0].bbox != flat.blocks[0].bbox


def test_text_turned_on_its_side_is_read_in_order_and_lies_on_its_box() -> None:
    pdf = draw.new()
    page = pdf.new_page(width=400, height=600)
    for number in range(4):
        draw.put(page, 100 + 14 * number, 500, f"Line {number} of a table set on its side", rotate=90)
    document = parsed(draw.finished(pdf))
    assert [document.text.index(f"Line {n}") for n in range(4)] == sorted(
        document.text.index(f"Line {n}") for n in range(4)
    )
    box = document.blocks[0].bbox
    assert box is not None
    assert 0.2 < box.left < box.right < 0.4
    assert box.bottom > 0.8


def test_a_picture_with_at_most_a_stamp_needs_ocr_and_one_with_a_text_layer_does_not() -> None:
    import pymupdf

    picture = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 100, 140), False)
    picture.clear_with(200)
    pdf = draw.new()
    stamp = "Case 12, page 3 of 16, filed on 13 May"
    for height, words in ((0, ""), (100, "An invisible layer holds what was recognised."), (30, stamp)):
        page = pdf.new_page()
        page.insert_image(page.rect, pixmap=picture)
        if words:
            page.insert_text((60, height), words, render_mode=3)
    document = parsed(draw.finished(pdf))
    assert [page.needs_ocr for page in document.pages] == [True, False, True]
    assert "An invisible layer holds what was recognised." in document.text


def test_an_empty_page_needs_nothing() -> None:
    pdf = draw.new()
    pdf.new_page()
    document = parsed(draw.finished(pdf))
    assert (document.text, document.blocks, document.pages[0].needs_ocr) == ("", (), False)


def test_a_paragraph_over_a_page_break_is_one_sentence_and_its_footnote_follows() -> None:
    pdf = draw.new()
    first = pdf.new_page()
    for number in range(10):
        draw.put(
            first, 60, 600 + 13 * number, "the ledger of the port names each vessel and master and the cargo of it"
        )
    draw.put(first, 60, 760, "1 The first ledger was lost in the great storm of that winter.", size=7)
    second = pdf.new_page()
    draw.put(second, 60, 60, "and so on until the end of the year. Then a new book is begun by the clerk.")
    draw.put(second, 60, 73, "It is bound in blue cloth.")
    document = parsed(draw.finished(pdf))
    assert "the cargo of it and so on until the end" in document.text
    assert [block.page for block in document.blocks] == [1, 2, 1]
    assert document.blocks[2].kind is BlockKind.FOOTNOTE


def test_headings_take_their_level_from_the_outline() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.put(page, 60, 80, "Harbour rules", size=12, font="hebo")
    draw.flow(page, (60, 100, 540, 200), sentences("Body", 4))
    draw.put(page, 60, 240, "Mooring", size=BODY_BOLD, font="hebo")
    draw.flow(page, (60, 250, 540, 350), sentences("Other", 4))
    pdf.set_toc([[1, "Part", 1], [2, "Harbour rules", 1], [3, "Mooring", 1]])
    document = parsed(draw.finished(pdf))
    levels = {block.span.of(document.text): block.level for block in document.blocks if block.level}
    assert levels["Mooring"] - levels["Harbour rules"] == 1 or document.blocks[0].kind is BlockKind.TITLE
    assert draw.containing(document, "Mooring").kind is BlockKind.HEADING


BODY_BOLD = 10.0


def test_headings_take_their_level_from_size_and_number() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.put(page, 60, 60, "The book of the harbour", size=22)
    for number, (words, size) in enumerate((("1 Ships", 15), ("1.1 Sails", 12), ("1.2 Oars", 12), ("2 Ports", 15))):
        top = 100 + 160 * number
        draw.put(page, 60, top, words, size=size, font="hebo")
        draw.flow(page, (60, top + 15, 540, top + 100), sentences(f"Body {number}", 4))
    document = parsed(draw.finished(pdf))
    found = [(block.kind.value, block.level) for block in document.blocks if block.level]
    assert found == [("title", 1), ("heading", 2), ("heading", 3), ("heading", 3), ("heading", 2)]
    assert document.metadata["title"] == "The book of the harbour"


def test_bold_lines_that_are_no_headings_and_a_shouted_one_with_a_colon_that_is() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.put(page, 60, 60, "THE HARBOUR'S RULES:", font="hebo")
    draw.flow(page, (60, 70, 540, 140), sentences("Body", 4))
    draw.put(page, 76, 160, "1. Tie your ship", font="hebo")
    draw.flow(page, (60, 180, 540, 250), sentences("More", 4))
    draw.put(page, 60, 280, "Ships and ropes .......................... 12", font="hebo")
    document = parsed(draw.finished(pdf))
    assert draw.of(document, BlockKind.HEADING) == ["THE HARBOUR'S RULES:"]
    assert draw.of(document, BlockKind.LIST_ITEM) == ["1. Tie your ship"]


def test_lists_captions_code_and_references_are_named() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 50, 540, 120), sentences("Body", 4))
    draw.put(page, 70, 140, "\u2022 Ropes of hemp")
    draw.put(page, 90, 153, "\u2022 Thin ropes")
    draw.put(page, 70, 166, "\u2022 Sails of linen")
    draw.put(page, 60, 200, "Figure 3: The old lighthouse at the bay.", size=9)
    draw.put(page, 60, 230, "for ship in harbour:", font="cour")
    draw.put(page, 84, 243, "ship.greet()", font="cour")
    draw.put(page, 60, 280, "References", size=14, font="hebo")
    draw.flow(page, (60, 290, 540, 330), "Keeper, A. (1901). Lights of the bay. Harbour Press.")
    document = parsed(draw.finished(pdf))
    items = [block for block in document.blocks if block.kind is BlockKind.LIST_ITEM]
    assert [item.level for item in items] == [1, 2, 1]
    assert draw.of(document, BlockKind.CAPTION) == ["Figure 3: The old lighthouse at the bay."]
    assert draw.of(document, BlockKind.CODE) == ["for ship in harbour:\n    ship.greet()"]
    assert draw.of(document, BlockKind.REFERENCE) == ["Keeper, A. (1901). Lights of the bay. Harbour Press."]


def test_chinese_lines_are_joined_without_blanks() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.put(page, 60, 70, "第一章 港口管理", size=16, font="china-s")
    for number, line in enumerate(
        (
            "港口每天记录所有进港船舶的名称和货物种类以及到达",
            "的时间，引航员在外海浮标处等待涨潮。图书馆保存着",
            "全部的旧账簿。",
        )
    ):
        draw.put(page, 60, 100 + 15 * number, line, font="china-s")
    draw.put(page, 60, 160, "一、船舶必须报告。", font="china-s")
    draw.put(page, 60, 175, "二、货物必须登记。", font="china-s")
    document = parsed(draw.finished(pdf))
    assert "以及到达的时间，引航员在外海浮标处等待涨潮。图书馆保存着全部的旧账簿。" in document.text
    assert document.metadata["language"] == "zh-Hans"
    assert draw.of(document, BlockKind.LIST_ITEM) == ["一、船舶必须报告。", "二、货物必须登记。"]
    assert document.blocks[0].kind in (BlockKind.TITLE, BlockKind.HEADING)


def test_a_picture_is_a_figure_without_text() -> None:
    import pymupdf

    picture = pymupdf.Pixmap(pymupdf.csGRAY, pymupdf.IRect(0, 0, 40, 40), False)
    picture.clear_with(90)
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 50, 540, 120), sentences("Body", 4))
    page.insert_image((100, 150, 300, 350), pixmap=picture)
    draw.put(page, 100, 370, "Figure 1: A grey field.")
    document = parsed(draw.finished(pdf))
    kinds = [block.kind for block in document.blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.FIGURE, BlockKind.CAPTION]
    assert not document.blocks[1].span


def test_a_drawn_chart_above_its_caption_is_a_figure_with_its_labels_as_text() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 50, 540, 120), sentences("Body", 4))
    page.draw_line((120, 180), (120, 300))
    page.draw_line((120, 300), (400, 300))
    page.draw_polyline([(120, 290), (200, 240), (300, 250), (400, 190)])
    for number, top in (("30", 190), ("20", 240), ("10", 290)):
        draw.put(page, 104, top, number, size=8)
    draw.put(page, 220, 312, "Month of the year", size=8)
    draw.put(page, 100, 340, "Figure 1: Ships by month.")
    document = parsed(draw.finished(pdf))
    kinds = [block.kind for block in document.blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.FIGURE, BlockKind.CAPTION]
    assert set(document.blocks[1].span.of(document.text).split()) == {"30", "20", "10", "Month", "of", "the", "year"}


def test_a_drawn_box_around_text_is_no_figure() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    for inset in range(4):
        page.draw_rect((50 - inset, 90 - inset, 550 + inset, 300 + inset))
    draw.flow(page, (60, 100, 540, 290), sentences("Body", 12))
    draw.put(page, 60, 330, "Figure 1: What the harbour master said.")
    for number in range(3):
        draw.put(page, 60, 400 + 30 * number, f"Quay {number}")
    assert BlockKind.FIGURE not in {block.kind for block in parsed(draw.finished(pdf)).blocks}


def locked(**options: str) -> Blob:
    import pymupdf

    pdf = draw.new()
    draw.put(pdf.new_page(), 60, 100, "Known to the keeper only.")
    return draw.finished(pdf, encryption=pymupdf.PDF_ENCRYPT_AES_256, **options)


def test_a_locked_file_says_what_to_do() -> None:
    with pytest.raises(EncryptedSource, match="locked with a password") as caught:
        parsed(locked(user_pw="tide", owner_pw="moon"))
    assert "password" in caught.value.remedy
    assert caught.value.where == "harbour.pdf"


def test_a_wrong_password_is_told_from_a_missing_one() -> None:
    with pytest.raises(EncryptedSource, match="not the one given"):
        parsed(locked(user_pw="tide", owner_pw="moon"), password="ebb")


def test_the_right_password_opens_the_file() -> None:
    assert parsed(locked(user_pw="tide", owner_pw="moon"), password="tide").text == "Known to the keeper only."


def test_a_password_is_also_tried_as_saslprep_writes_it() -> None:
    assert parsed(locked(user_pw="aSLprep", owner_pw="moon"), password="\u00aaSL\u00adprep").text.startswith("Known")


def test_a_file_with_only_an_owner_password_opens_without_it() -> None:
    assert parsed(locked(owner_pw="moon")).text == "Known to the keeper only."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes"),
        (b"not a pdf at all", "not a PDF"),
        (b"%PDF-1.7\n%%EOF", "not a PDF"),
        (
            b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n",
            "no pages",
        ),
    ],
    ids=["empty", "text", "header only", "no pages"],
)
def test_what_is_no_pdf_is_a_corrupt_source_with_a_remedy(data: bytes, message: str) -> None:
    with pytest.raises(CorruptSource, match=message) as caught:
        parsed(draw.blob(data))
    assert "download it again" in caught.value.remedy
    with pytest.raises(CorruptSource):
        PdfParser().page_count(draw.blob(data))


def test_a_truncated_file_gives_what_can_be_read_or_says_that_it_is_damaged(capfd: pytest.CaptureFixture[str]) -> None:
    data = running(6).data
    for share in (0.3, 0.6, 0.9):
        try:
            document = parsed(draw.blob(data[: int(len(data) * share)]))
        except CorruptSource as error:
            assert error.remedy
        else:
            assert all(block.span.of(document.text) for block in document.blocks)
    assert capfd.readouterr() == ("", "")


def test_blocks_are_ordered_disjoint_spans_and_every_line_lies_on_its_words() -> None:
    import pymupdf

    blob = running(3)
    document = parsed(blob)
    ends = [0]
    for block in document.blocks:
        assert block.span.start >= ends[-1]
        ends.append(block.span.end)
    with pymupdf.open(stream=blob.data, filetype="pdf") as pdf:
        for line in document.geometry:
            page = pdf[line.page - 1]
            width, height = page.rect.width, page.rect.height
            box = (line.left * width - 1, line.top * height + 1, line.right * width + 1, line.bottom * height - 1)
            assert document.text[line.start : line.end] == " ".join(page.get_textbox(box).split())
            assert len(line.edges) == 2 * len(document.text[line.start : line.end].split())


def test_every_letter_of_the_text_but_joints_lies_on_a_line() -> None:
    document = parsed(running(2))
    covered = set()
    for line in document.geometry:
        covered.update(range(line.start, line.end))
    assert all(document.text[n].isspace() for n in range(len(document.text)) if n not in covered)


def test_pages_are_found_again_when_the_tree_of_pages_is_lost() -> None:
    pdf = draw.new()
    for words in ("The first page.", "The second page."):
        draw.put(pdf.new_page(), 60, 100, words)
    whole = draw.finished(pdf).data
    lost = draw.blob(whole.replace(b"/Count 2", b"/Count 0").replace(b"/Kids", b"/Lost"))
    assert lost.data != whole
    assert parsed(lost).text.split("\n\n") == ["The first page.", "The second page."]
    assert PdfParser().page_count(lost) == 2


def test_a_table_is_one_block_with_a_line_for_each_cell() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 50, 540, 100), sentences("Body", 3))
    for row in range(4):
        page.draw_line((60, 120 + 20 * row), (360, 120 + 20 * row))
    for column in range(4):
        page.draw_line((60 + 100 * column, 120), (60 + 100 * column, 180))
    for row, cells in enumerate((("Ship", "Cargo", "Tons"), ("Gull", "Salt", "12"), ("Tern", "Wool", "7"))):
        for column, words in enumerate(cells):
            draw.put(page, 65 + 100 * column, 134 + 20 * row, words)
    document = parsed(draw.finished(pdf))
    (table,) = [block for block in document.blocks if block.kind is BlockKind.TABLE]
    html = table.span.of(document.text)
    assert "<td>Gull</td><td>Salt</td><td>12</td>" in html
    lines = [line for line in document.geometry if table.span.start <= line.start < table.span.end]
    assert [document.text[line.start : line.end] for line in lines][3:6] == ["Gull", "Salt", "12"]
    (salt,) = [line for line in lines if document.text[line.start : line.end] == "Salt"]
    assert 160 / 595 < salt.left < salt.right < 260 / 595


def test_a_sideways_page_that_its_rotation_sets_upright_reads_as_shown() -> None:
    pdf = draw.new()
    page = pdf.new_page(width=400, height=600)
    for number in range(3):
        draw.put(page, 100 + 14 * number, 560, f"Line {number} of a landscape page", rotate=90)
    page.set_rotation(90)
    document = parsed(draw.finished(pdf))
    assert document.text == "Line 0 of a landscape page Line 1 of a landscape page Line 2 of a landscape page"
    (block,) = document.blocks
    assert block.bbox is not None
    assert block.bbox.left < 0.1
    assert block.bbox.top < 0.3
    assert len(next(iter(document.geometry)).edges) == 12


def test_turned_text_on_a_straight_page_is_kept_apart() -> None:
    pdf = draw.new()
    page = pdf.new_page()
    draw.flow(page, (60, 100, 540, 300), sentences("Body", 6))
    draw.put(page, 30, 500, "A stamp in the margin", rotate=90)
    document = parsed(draw.finished(pdf))
    stamp = draw.containing(document, "A stamp")
    assert (stamp.kind, stamp.native_label) == (BlockKind.OTHER, "turned")
    assert stamp.bbox is not None
    assert stamp.bbox.right < 0.1


def test_parts_of_a_file_are_small_and_can_be_sent_to_another_process() -> None:
    blob, parser = running(4), PdfParser()
    part = parser.parse_pages(blob, 0, 4)
    sent = pickle.dumps(part)
    assert parser.merge(blob.source, [pickle.loads(sent)]) == parsed(blob)
    assert len(sent) < 4 * 8_000
