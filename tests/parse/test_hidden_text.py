"""Text that a page holds and does not show is labelled `hidden`; what it shows, however it is set, is not."""

from collections.abc import Callable
from io import BytesIO

import pymupdf
import pytest

from docpipe import _ids
from docpipe.parse.pdf import PdfParser
from docpipe.types import HIDDEN, Blob, Document, Source

_SHOWN = "The harbour was dredged in spring and the ferries returned to their old berths by the market."
_SECRET = "The lighthouse keeper sold the lamp."
_WHITE, _BLACK, _BLUE = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.1, 0.1, 0.5)


def _parsed(draw: Callable[[pymupdf.Page], None], *, rotation: int = 0) -> Document:
    with pymupdf.open() as file:
        page = file.new_page(width=400, height=300)
        draw(page)
        page.set_rotation(rotation)
        data = file.tobytes()
    source = Source(uri="a.pdf", media_type="application/pdf", digest=_ids.digest(data), size=len(data), modified=0)
    (document,) = PdfParser()(Blob(source=source, data=data))
    return document


def _hidden(document: Document) -> str:
    return " ".join(b.span.of(document.text) for b in document.blocks if b.native_label == HIDDEN)


def _shown(document: Document) -> str:
    return " ".join(b.span.of(document.text) for b in document.blocks if b.native_label != HIDDEN)


def _picture(colour: tuple[int, int, int], *, text: str = "") -> bytes:
    """A PNG of one colour, with letters on it where wanted."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (800, 600), colour)
    if text:
        ImageDraw.Draw(image).text((100, 190), text, fill=(0, 0, 0), font_size=22)
    held = BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def _body(page: pymupdf.Page) -> None:
    page.insert_textbox((50, 40, 350, 90), _SHOWN, fontsize=11)


def _white(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=11, color=_WHITE)


def _nearly_white(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=11, color=(0.96, 0.97, 0.98))


def _of_its_ground(page: pymupdf.Page) -> None:
    page.draw_rect((40, 130, 360, 170), fill=(0.93, 0.93, 0.95), color=None)
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=11, color=(0.93, 0.93, 0.95))


def _over_shown_words(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((52, 54), _SECRET, fontsize=11, color=_WHITE)


def _tiny(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=0.8)


def _beside(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 900), _SECRET, fontsize=11)


def _unpainted(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=11, render_mode=3)


def _behind_a_picture(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((60, 150), _SECRET, fontsize=11)
    page.insert_image((40, 120, 360, 280), stream=_picture((200, 120, 40)))


def _transparent(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=11, fill_opacity=0.02)


@pytest.mark.parametrize(
    "draw",
    [_white, _nearly_white, _of_its_ground, _tiny, _beside, _unpainted, _behind_a_picture, _transparent],
    ids=lambda draw: draw.__name__.strip("_"),
)
def test_what_a_page_does_not_show_is_hidden(draw: Callable[[pymupdf.Page], None]) -> None:
    document = _parsed(draw)
    assert _hidden(document) == _SECRET
    assert "lighthouse" not in _shown(document)
    assert _shown(document).startswith(_SHOWN)


def test_white_words_over_shown_ones_are_hidden() -> None:
    document = _parsed(_over_shown_words)
    assert "lighthouse" in _hidden(document)
    assert "lighthouse" not in _shown(document)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_on_turned_pages_too(rotation: int) -> None:
    document = _parsed(_white, rotation=rotation)
    assert _hidden(document) == _SECRET
    (block,) = [block for block in document.blocks if block.native_label == HIDDEN]
    assert block.page == 1 and block.bbox is not None and 0 <= min(block.bbox) <= max(block.bbox) <= 1


def _on_a_bar(page: pymupdf.Page) -> None:
    page.draw_rect((40, 130, 360, 170), fill=_BLUE, color=None)
    _body(page)
    page.insert_text((50, 155), _SECRET, fontsize=11, color=_WHITE)


def _large_on_a_photo(page: pymupdf.Page) -> None:
    page.insert_image((0, 0, 400, 300), stream=_picture((120, 90, 60)))
    page.insert_text((20, 155), _SECRET, fontsize=20, fontname="hebo", color=_WHITE)


def _over_a_picture(page: pymupdf.Page) -> None:
    page.insert_image((40, 120, 360, 280), stream=_picture((240, 220, 200)))
    _body(page)
    page.insert_text((60, 150), _SECRET, fontsize=11)


def _small_print(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=4)


def _outlined(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_text((50, 150), _SECRET, fontsize=14, render_mode=1)


def _read_of_a_scan(page: pymupdf.Page) -> None:
    page.insert_image((0, 0, 400, 300), stream=_picture((250, 250, 250), text=_SECRET))
    page.insert_text((50, 107), _SECRET, fontsize=13, render_mode=3)


def _read_of_a_scanned_part(page: pymupdf.Page) -> None:
    _body(page)
    page.insert_image((0, 100, 400, 400), stream=_picture((250, 250, 250), text=_SECRET))
    page.insert_text((50, 207), _SECRET, fontsize=13, render_mode=3)


def _below_a_scan(page: pymupdf.Page) -> None:
    page.insert_text((50, 107), _SECRET, fontsize=13, color=_WHITE)
    page.insert_image((0, 0, 400, 300), stream=_picture((250, 250, 250), text=_SECRET))


@pytest.mark.parametrize(
    "draw",
    [
        _on_a_bar,
        _large_on_a_photo,
        _over_a_picture,
        _small_print,
        _outlined,
        _read_of_a_scan,
        _read_of_a_scanned_part,
        _below_a_scan,
    ],
    ids=lambda draw: draw.__name__.strip("_"),
)
def test_what_a_page_shows_is_not_hidden(draw: Callable[[pymupdf.Page], None]) -> None:
    document = _parsed(draw)
    assert _hidden(document) == ""
    assert _SECRET in " ".join(_shown(document).split())


def test_a_hidden_word_within_a_line_leaves_the_line() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_text((50, 50), "The ferry leaves", fontsize=11)
        page.insert_text((134, 50), "secretly", fontsize=11, color=_WHITE)
        page.insert_text((178, 50), "at noon.", fontsize=11)

    document = _parsed(draw)
    assert _hidden(document) == "secretly"
    assert " ".join(_shown(document).split()) == "The ferry leaves at noon."


def test_hidden_words_are_in_no_table() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(5):
            for column in range(3):
                page.draw_rect((50 + 90 * column, 40 + 20 * row, 140 + 90 * column, 60 + 20 * row), color=_BLACK)
                page.insert_text((54 + 90 * column, 54 + 20 * row), f"cell {row}{column}", fontsize=9)
        page.insert_text((90, 54), "lighthouse", fontsize=9, color=_WHITE)

    document = _parsed(draw)
    assert _hidden(document) == "lighthouse"
    assert "cell 00" in _shown(document) and "lighthouse" not in _shown(document)


def test_a_page_without_hidden_text_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pymupdf.Page, "get_pixmap", lambda *_, **__: pytest.fail("the page was drawn"))
    assert _shown(_parsed(_body)).startswith("The harbour")


def test_hidden_words_do_not_drown_among_thousands() -> None:
    def draw(page: pymupdf.Page) -> None:
        writer = pymupdf.TextWriter(page.rect, color=_WHITE)
        for number in range(1_800):
            writer.append((10 + number % 50 * 7.5, 10 + number // 50 * 2.8), "x", fontsize=2.5)
        writer.write_text(page)
        _white(page)

    document = _parsed(draw)
    assert _SECRET in _hidden(document)
    assert "lighthouse" not in _shown(document)
