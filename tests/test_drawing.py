"""Pages as pictures: the marks stand where the words stand, and nothing a document says becomes HTML."""

import re
from pathlib import Path

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe import drawing, page_html
from docpipe._ids import digest
from docpipe.drawing import Renderer
from docpipe.errors import CorruptSource, EncryptedSource
from docpipe.pipeline.proofs import Proof
from docpipe.types import Answer, BBox, Blob, Block, BlockKind, Citation, Document, Page, PageBox, Source, Span

EVIL = "<script>alert(1)</script>\"'&\x1b[31m\udc80"


def pdf(*, rotation: int = 0, pages: int = 1) -> bytes:
    """White A4 pages with a black square at (100, 100) to (200, 150) points."""
    with pymupdf.open() as document:
        for _ in range(pages):
            page = document.new_page(width=595, height=842)
            page.draw_rect(pymupdf.Rect(100, 100, 200, 150), color=(0, 0, 0), fill=(0, 0, 0))
            page.set_rotation(rotation)
        return bytes(document.tobytes())


def pixel(data: bytes, x: float, y: float) -> tuple[int, ...]:
    """Colour at fractions of a picture."""
    picture = pymupdf.Pixmap(data)
    return tuple(picture.pixel(int(x * picture.width), int(y * picture.height)))


def citation(uri: str = "a/b c.pdf", pages: tuple[int, ...] = (1,), quote: str = "the words") -> Citation:
    boxes = tuple(PageBox(page, 0.5, 0.5, 0.7, 0.52) for page in pages)
    return Citation(marker="[1]", uri=uri, chunk_id="c", quote=quote, pages=pages, boxes=boxes, verified=True)


def proof(
    data: bytes | None, cited: Citation, *, passage: str = "", remark: str = "", kind: str = "application/pdf"
) -> Proof:
    blob = None
    if data is not None:
        source = Source(uri=cited.uri, media_type=kind, digest=digest(data), size=len(data), modified=0)
        blob = Blob(source=source, data=data)
    return Proof(citation=cited, passage=passage, blob=blob, remark=remark)


@pytest.fixture
def same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw without a worker process: it would import everything again."""
    monkeypatch.setattr(drawing, "isolated", lambda work, method, *given, options=None: getattr(work, method)(*given))


def test_a_mark_lets_black_words_be_read() -> None:
    box = PageBox(1, 0.1, 0.1, 0.6, 0.3)
    picture = Renderer(width=600).marked(pdf(), "application/pdf", 1, [box, box])
    assert picture is not None
    yellow, black, white = (
        pixel(picture.data, 0.5, 0.25),
        pixel(picture.data, 0.25, 0.15),
        pixel(picture.data, 0.8, 0.8),
    )
    assert yellow[0] > 250 and yellow[2] < 90
    assert max(black) < 20
    assert white == (255, 255, 255)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_are_fractions_of_the_page_as_it_is_shown(rotation: int) -> None:
    with pymupdf.open(stream=pdf(rotation=rotation)) as document:
        page = document[0]
        area = pymupdf.Rect(100, 100, 200, 150) * page.rotation_matrix
        area.normalize()
        box = PageBox(
            1, *(value / side for value, side in zip(area, (page.rect.width, page.rect.height) * 2, strict=True))
        )
    wider = box._replace(left=box.left - 0.02, right=box.right + 0.02)
    picture = Renderer().marked(pdf(rotation=rotation), "application/pdf", 1, [wider])
    plain = Renderer().pages(pdf(rotation=rotation), "application/pdf", [1])[0]
    assert picture is not None
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    assert max(pixel(plain.data, *middle)) < 40
    assert max(pixel(picture.data, *middle)) < 40
    assert pixel(picture.data, box.left - 0.01, middle[1])[2] < 120


def test_pages_that_do_not_exist_are_left_out() -> None:
    pictures = Renderer(width=100).pages(pdf(pages=3), "application/pdf", [0, 2, 3, 9])
    assert [picture.page for picture in pictures] == [2, 3]
    assert Renderer().marked(pdf(), "application/pdf", 2, []) is None


def test_an_image_is_a_page() -> None:
    picture = Renderer(width=60).pages(pdf(), "application/pdf", [1])[0]
    assert Renderer(width=60).pages(picture.data, "image/jpeg", [1])


def test_bytes_that_are_no_page_say_so() -> None:
    with pytest.raises(CorruptSource, match="it cannot be drawn") as caught:
        Renderer().pages(b"nothing", "application/pdf", [1])
    assert caught.value.remedy == "open it in a viewer"


def test_a_locked_file_says_so(same_process: None) -> None:
    with pymupdf.open(stream=pdf()) as plain:
        locked = plain.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="other")
    with pytest.raises(EncryptedSource, match="it needs a password") as caught:
        Renderer().marked(locked, "application/pdf", 1, [])
    assert caught.value.remedy == "remove the password, then try again"
    html = drawing.document_html(document("the text"), locked)
    assert "the pages cannot be drawn: it needs a password" in html
    assert "the text" in html


def document(text: str, *, pages: int = 1, kind: str = "application/pdf") -> Document:
    blocks = tuple(
        Block(
            id=f"b{page}",
            kind=BlockKind.PARAGRAPH,
            span=Span(0, len(text)),
            page=page if pages else None,
            bbox=BBox(0.1, 0.2, 0.5, 0.25) if pages else None,
        )
        for page in range(1, max(pages, 1) + 1)
    )
    shown = tuple(Page(number=page, width=595, height=842) for page in range(1, pages + 1))
    source = Source(uri=EVIL, media_type=kind, digest="0", size=1, modified=0)
    return Document(id="d", source=source, text=text, pages=shown, blocks=blocks)


def test_each_page_is_drawn_with_its_blocks(same_process: None) -> None:
    html = drawing.document_html(document("the text", pages=2), pdf(pages=2))
    assert html.count("data:image/jpeg;base64,") == 2
    assert html.count('class="block"') == 2
    assert "left:10.000%;top:20.000%;width:40.000%;height:5.000%" in html
    assert "paragraph</b>" in html


def test_pages_that_are_not_drawn_are_told(same_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MAX_PAGES", 1)
    html = drawing.document_html(document("the text", pages=3), pdf(pages=3))
    assert "1 of 3 pages are drawn" in html
    assert drawing.document_html(document("x", pages=3), pdf(pages=3), pages={2}).count("<img") == 1


def test_a_document_without_pages_is_a_list(same_process: None) -> None:
    html = drawing.document_html(document("some text", pages=0, kind="text/markdown"), b"some text")
    assert "<img" not in html
    assert 'class="row"' in html
    assert "some text" in html


def test_nothing_a_document_says_becomes_html(same_process: None) -> None:
    html = drawing.document_html(document(EVIL * 3), pdf())
    html += page_html.answer_page(
        Answer(question=EVIL, text=EVIL, origin="documents"),
        [page_html.proof(citation(EVIL, quote=EVIL), files={1: 'x".png'}, passage=EVIL, remark=EVIL)],
    )
    html += page_html.marked(f"before {EVIL} after", EVIL)
    assert "<script" not in html
    assert "\x1b" not in html
    assert not re.search(r'"[^"<>]*\balert\(1\)</script', html)
    html.encode("utf-8")


@given(before=st.text(), quote=st.text(min_size=1), after=st.text())
def test_a_quote_is_marked_whatever_its_white_space(before: str, quote: str, after: str) -> None:
    squeezed = " ".join(quote.split())
    passage = f"{before} {quote} {after}"
    html = page_html.marked(passage, squeezed)
    assert ("<mark>" in html) == bool(squeezed)
    assert "<mark></mark>" not in html


class TestShow:
    def test_each_cited_page_is_a_picture_beside_the_answer(self, same_process: None, tmp_path: Path) -> None:
        answer = Answer(question="why <b>?", text="because [1]", origin="documents")
        files = drawing.show_answer(answer, [proof(pdf(pages=2), citation(pages=(1, 2)))], tmp_path / "new" / "show")
        assert [path.name for path in files] == ["index.html", "1-b-c-p1.png", "1-b-c-p2.png"]
        html = files[0].read_text("utf-8")
        assert 'src="1-b-c-p1.png"' in html
        assert "why &lt;b&gt;?" in html
        assert "the words" in html
        assert pixel(files[1].read_bytes(), 0.6, 0.51)[2] < 90
        assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)

    def test_a_document_without_pages_shows_the_passage(self, same_process: None, tmp_path: Path) -> None:
        cited = citation(uri="a.md", pages=())
        shown = proof(b"x", cited, passage="before the\n words after", kind="text/markdown")
        (index,) = drawing.show_answer(Answer(question="q", text="t", origin="documents"), [shown], tmp_path)
        assert "before <mark>the\n words</mark> after" in index.read_text("utf-8")

    def test_a_file_that_changed_or_is_gone_is_told(self, same_process: None, tmp_path: Path) -> None:
        answer = Answer(question="q", text="t", origin="documents")
        shown = [
            proof(pdf(), citation(), remark="the file changed since it was indexed"),
            proof(None, citation(), remark="the file cannot be shown", passage="the words"),
            proof(b"%PDF-broken", citation()),
        ]
        html = drawing.show_answer(answer, shown, tmp_path)[0].read_text("utf-8")
        assert "the file changed since it was indexed" in html
        assert "the file cannot be shown" in html
        assert "the page cannot be drawn: it cannot be drawn" in html

    @pytest.mark.parametrize(
        "uri", ["../../etc/passwd", "a/..\\..\\x.pdf", "\n\x00.pdf", "年度报告.pdf", "CON", ".." * 300, "a.b/c"]
    )
    def test_file_names_are_plain(self, same_process: None, tmp_path: Path, uri: str) -> None:
        answer = Answer(question="q", text="t", origin="documents")
        files = drawing.show_answer(answer, [proof(pdf(), citation(uri))], tmp_path / "show")
        assert re.fullmatch(r"1-[a-z0-9-]{1,40}-p1\.png", files[1].name)
        assert [path.name for path in tmp_path.iterdir()] == ["show"]

    def test_a_link_in_the_folder_is_replaced_not_followed(self, same_process: None, tmp_path: Path) -> None:
        precious, folder = tmp_path / "precious", tmp_path / "show"
        precious.write_text("keep", "utf-8")
        folder.mkdir()
        (folder / "index.html").symlink_to(precious)
        drawing.show_answer(Answer(question="q", text="t", origin="none"), [], folder)
        assert precious.read_text("utf-8") == "keep"
        assert "<h1>q</h1>" in (folder / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_drawing_runs_in_a_process_of_its_own() -> None:
    html = drawing.document_html(document("the text"), pdf())
    assert html.count("data:image/jpeg;base64,") == 1


def test_a_webp_picture_is_drawn_like_any_other() -> None:
    from io import BytesIO

    from PIL import Image

    held = BytesIO()
    Image.new("RGB", (60, 40), "white").save(held, "webp")
    (picture,) = Renderer().pages(held.getvalue(), "image/webp", [1])
    assert picture.media_type == "image/jpeg"
