"""Scans and images -> documents, over real HTTP against the stand-in."""

import base64
import dataclasses
import json
import pickle
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from printed_pages import blob, of
from quick_retries import quick_retries as quick_retries
from standin import StandIn, faults, printing

from docpipe import _ids
from docpipe._http.endpoint import Endpoint
from docpipe.errors import EncryptedSource, OutOfCredit, Refused, Unauthorized, Unavailable
from docpipe.parse.auto import AutoParser
from docpipe.parse.glm_ocr import GlmOcrParser, OcrPart
from docpipe.parse.pdf import PdfParser
from docpipe.protocols import AssistedParser
from docpipe.tables import read
from docpipe.types import Blob, BlockKind, Document, Source

PATH = "/layout_parsing"
FERRY = [
    ("header", "Harbour office, yearly record"),
    ("title", "Ferry report"),
    ("heading", "1 Traffic"),
    ("text", "The ferry carried 412,000 passengers in 2024, six percent more than the year before."),
    ("table", [["Route", "Passengers"], ["North pier", "251,000"], ["Lighthouse", "161,000"]]),
    ("list", ["Next hull cleaning: February 2026", "Next engine survey: May 2026"]),
    ("number", "1"),
]


@pytest.fixture(scope="module")
def book() -> list[printing.Sheet]:
    return printing.book(6)


def picture(data: bytes, kind: str = "png") -> Blob:
    source = Source(uri=f"a.{kind}", media_type=f"image/{kind}", digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


def parsed(source: Blob, parser: GlmOcrParser | None = None) -> Document:
    (document,) = (parser or GlmOcrParser())(source)
    return document


_scans: dict[tuple[int, ...], bytes] = {}


def scan(sheets: Sequence[printing.Sheet]) -> Blob:
    """A PDF of pictures, printed once for all tests."""
    numbers = tuple(sheet.number for sheet in sheets)
    if numbers not in _scans:
        _scans[numbers] = printing.scan(sheets)
    return blob(_scans[numbers])


def said(sheet: printing.Sheet) -> str:
    """The first words of a sheet's body."""
    return next(e["content"] for e in sheet.elements if e["native_label"] == "text")[:40]


def printed(sheet: printing.Sheet, words: str) -> tuple[float, float, float, float]:
    """Where the words really stand, in fractions of the page."""
    import pymupdf

    with pymupdf.open(stream=printing.text_pdf([sheet]), filetype="pdf") as document:
        (box,) = document[0].search_for(words)
    return box.x0 / sheet.width, box.y0 / sheet.height, box.x1 / sheet.width, box.y1 / sheet.height


def sent(platform: StandIn) -> list[str]:
    return [page for call in platform.calls(PATH) if call.status == 200 for page in call.pages]


def test_a_scan_becomes_a_document_with_kinds_and_places(platform: StandIn) -> None:
    sheet = printing.sheet(FERRY)
    document = parsed(scan([sheet]))
    assert [(block.kind.value, block.level) for block in document.blocks] == [
        ("title", 1), ("heading", 2), ("paragraph", 0), ("table", 0), ("list_item", 1), ("list_item", 1),
        ("header", 0), ("page_number", 0),
    ]  # fmt: skip
    assert document.metadata["title"] == "Ferry report" and not document.pages[0].needs_ocr
    table = next(block for block in document.blocks if block.kind is BlockKind.TABLE)
    assert read(table.span.of(document.text)).rows[1][1].text == "251,000"
    quote = "412,000 passengers"
    start = document.text.index(quote)
    (box,) = document.geometry.boxes(start, start + len(quote), document.text)
    left, top, right, bottom = printed(sheet, quote)
    assert abs(box.left - left) < 0.02 and abs(box.right - right) < 0.02
    assert box.top <= top + 0.005 and box.bottom >= bottom - 0.005
    assert (document.pages[0].width, document.pages[0].height) == (595, 842)


@pytest.mark.parametrize("boxes", ["pixels", "fractions", "thousandths", "nested"])
@pytest.mark.parametrize("sizes", ["both", "element", "info"])
def test_boxes_land_at_the_same_place_in_every_form(
    boxes: str, sizes: str, monkeypatch: pytest.MonkeyPatch, book: list[printing.Sheet]
) -> None:
    if boxes == "thousandths":
        sizes = "none"
    with StandIn(boxes=boxes, sizes=sizes) as platform:  # type: ignore[arg-type]
        monkeypatch.setenv("ZAI_API_KEY", platform.key)
        monkeypatch.setenv("ZAI_BASE_URL", platform.base_url)
        document = parsed(scan(book[:1]))
    found = [block.bbox for block in document.blocks if block.kind is BlockKind.PARAGRAPH]
    truth = [each["box"] for each in book[0].elements if each["native_label"] == "text"]
    for box, expected in zip(found, truth, strict=True):
        assert box is not None and all(abs(a - b) <= 1 / 500 for a, b in zip(box, expected, strict=True))


def test_pages_with_a_sound_text_layer_stay_here_and_need_no_key(
    monkeypatch: pytest.MonkeyPatch, book: list[printing.Sheet]
) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    monkeypatch.setenv("ZAI_BASE_URL", "http://127.0.0.1:9")
    source = blob(printing.text_pdf(book[:3]))
    assert parsed(source) == next(iter(PdfParser()(source)))


def test_of_a_mixed_file_only_the_scans_are_sent_and_all_pages_are_one_text(
    platform: StandIn, book: list[printing.Sheet]
) -> None:
    document = parsed(blob(mixed(book)))
    assert sorted(sent(platform)) == sorted(str(sheet.number) for sheet in book[1:5:2])
    places = [document.text.index(said(sheet)[:30]) for sheet in book]
    assert places == sorted(places)
    assert [page.needs_ocr for page in document.pages] == [False] * 6
    headings = [block for block in document.blocks if block.kind in (BlockKind.TITLE, BlockKind.HEADING)]
    assert [block.page for block in headings] == [1, 2, 3, 4, 5, 6]
    assert [block.level for block in headings] == [1, 2, 2, 2, 2, 2]
    body = max(block.span.end for block in document.blocks if block.kind is BlockKind.PARAGRAPH)
    assert all(block.span.start >= body for block in document.blocks if block.kind is BlockKind.PAGE_NUMBER)
    assert len(of(document, BlockKind.HEADER)) == 6 and len(of(document, BlockKind.PAGE_NUMBER)) == 6


def mixed(book: Sequence[printing.Sheet]) -> bytes:
    """Pages 2 and 4 are scans."""
    import pymupdf

    with pymupdf.open() as document:
        for number, sheet in enumerate(book, start=1):
            data = scan([sheet]).data if number in (2, 4) else printing.text_pdf([sheet])
            with pymupdf.open(stream=data, filetype="pdf") as one:
                document.insert_pdf(one)
        return bytes(document.tobytes())


def test_always_sends_every_page_and_never_none(platform: StandIn, book: list[printing.Sheet]) -> None:
    source = blob(printing.text_pdf(book[:2]))
    parsed(source, GlmOcrParser(ocr="always"))
    assert sum(call.pages != () for call in platform.calls(PATH)) == 2
    platform.forget()
    document = parsed(scan(book[:2]), GlmOcrParser(ocr="never"))
    assert platform.calls() == [] and [page.needs_ocr for page in document.pages] == [True, True]


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_images_are_documents_of_one_page(kind: str, platform: StandIn, book: list[printing.Sheet]) -> None:
    document = parsed(picture(printing.image(book[0], format=kind), kind))  # type: ignore[arg-type]
    assert said(book[0]) in document.text and len(document.pages) == 1


@pytest.mark.parametrize("kind", ["webp", "tiff", "gif", "bmp"])
def test_images_that_the_service_does_not_take_are_converted(
    kind: str, platform: StandIn, book: list[printing.Sheet]
) -> None:
    from io import BytesIO

    from PIL import Image

    held = BytesIO()
    Image.open(BytesIO(printing.image(book[0]))).save(held, kind)
    assert said(book[0]) in parsed(picture(held.getvalue(), kind)).text


def test_a_locked_file_is_sent_unlocked(platform: StandIn, book: list[printing.Sheet]) -> None:
    import pymupdf

    with pymupdf.open(stream=printing.scan(book[:2]), filetype="pdf") as document:
        locked = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw="secret")
    assert said(book[1]) in parsed(blob(locked), GlmOcrParser(password="secret")).text
    with pytest.raises(EncryptedSource):
        parsed(blob(locked))


WAYS = {"image": ("pdf",), "half": ("pdf", "image"), "nothing": ("pdf", "image", "half")}


@pytest.mark.parametrize("healed_by", WAYS)
@pytest.mark.parametrize("kind", ["loop", "empty", "cut_table", "absurd", "missing", "other_page", "refused"])
def test_a_page_that_is_read_badly_is_healed_or_set_apart_and_the_others_are_whole(
    kind: str, healed_by: str, platform: StandIn, book: list[printing.Sheet]
) -> None:
    code = "1214" if kind == "refused" else "1301"
    platform.spoil(book[2].number, kind, ways=WAYS[healed_by], code=code)  # type: ignore[arg-type]
    document = parsed(scan(book))
    others = [sheet for sheet in book if sheet is not book[2]]
    assert all(document.text.count(said(sheet)) == 1 for sheet in others)
    healed = healed_by != "nothing" or kind == "other_page"  # alone, there is no other page to be read instead
    assert (said(book[2]) in document.text) == healed
    assert [page.number for page in document.pages if page.needs_ocr] == ([] if healed else [3])


def test_a_page_against_the_policy_is_left_out_and_the_file_is_not(
    platform: StandIn, book: list[printing.Sheet]
) -> None:
    platform.spoil(book[1].number, "refused", code="1301")
    document = parsed(scan(book))
    assert [page.number for page in document.pages if page.needs_ocr] == [2]


def test_a_page_without_boxes_keeps_its_words(platform: StandIn, book: list[printing.Sheet]) -> None:
    platform.spoil(book[0].number, "no_boxes")
    document = parsed(scan(book[:1]))
    assert said(book[0]) in document.text


def test_a_reply_with_markdown_only_is_read(platform: StandIn, book: list[printing.Sheet]) -> None:
    platform.fault(PATH, faults.without("layout_details"))
    document = parsed(blob(printing.scan([printing.sheet(FERRY)])))
    assert of(document, BlockKind.TITLE) == ["Ferry report"] and "412,000" in document.text
    assert len(platform.calls(PATH)) == 1


def test_without_a_key_the_variable_is_named(monkeypatch: pytest.MonkeyPatch, book: list[printing.Sheet]) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    with pytest.raises(Unauthorized, match="ZAI_API_KEY"):
        parsed(scan(book[:1]))


def test_a_key_is_required_before_a_run_that_may_ask_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAI_API_KEY", raising=False)
    for parser in (GlmOcrParser(ocr="never"), GlmOcrParser(ocr="always", mode="selfhosted")):
        parser.require_key()
    with pytest.raises(Unauthorized, match="ZAI_API_KEY"):
        GlmOcrParser().require_key()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.error("1113"), OutOfCredit),
        (faults.error("1000"), Unauthorized),
        (faults.error("1211"), Refused),
        (faults.http_error(503), Unavailable),
    ],
    ids=["no balance", "bad key", "no model", "down"],
)
def test_an_error_of_the_service_is_the_files_error(
    fault: faults.Fault, error: type[Exception], platform: StandIn, book: list[printing.Sheet], quick_retries: None
) -> None:
    platform.fault(PATH, fault, times=-1)
    with pytest.raises(error):
        parsed(scan(book))
    assert len(platform.calls(PATH)) <= 20


@pytest.mark.parametrize(
    "fault",
    [faults.error("1302"), faults.error("1305"), faults.reset(), faults.truncated(), faults.malformed()],
    ids=["busy", "overloaded", "reset", "truncated", "malformed"],
)
def test_a_fault_that_passes_costs_no_page(
    fault: faults.Fault, platform: StandIn, book: list[printing.Sheet], quick_retries: None
) -> None:
    platform.fault(PATH, fault, times=2)
    document = parsed(scan(book))
    assert all(document.text.count(said(sheet)) == 1 for sheet in book)


@pytest.mark.parametrize(
    "fault",
    [
        faults.nested(50_000),
        faults.malformed(),
        faults.http_error(413),
        faults.error("1261"),
        faults.error_in_200("1214"),
    ],
    ids=["nested", "malformed", "too large", "too long", "error in 200"],
)
def test_where_the_replies_for_one_page_cannot_be_used_it_is_sent_otherwise_and_the_others_are_read(
    fault: faults.Fault, platform: StandIn, book: list[printing.Sheet], quick_retries: None
) -> None:
    name = b"/StandinNumber %d" % book[3].number  # written beside the picture in a PDF, and in no image

    tried: list[bool] = []

    def meant(body: Mapping[str, Any]) -> bool:
        tried.append(name in base64.b64decode(body["file"].partition(",")[2]))
        return tried[-1]

    platform.fault(PATH, dataclasses.replace(fault, when=meant), times=-1)
    document = parsed(scan(book))
    assert all(document.text.count(said(sheet)) == 1 for sheet in book)
    assert tried.count(True) > 1
    assert not any(page.needs_ocr for page in document.pages)


def own_server(platform: StandIn, api: str, path: str = "", **options: Any) -> GlmOcrParser:
    service = Endpoint(base_url=platform.host_url + path)
    return GlmOcrParser(mode="selfhosted", api=api, service=service, **options)  # type: ignore[arg-type]


def test_the_glmocr_server_reads_pages_without_a_key(platform: StandIn, book: list[printing.Sheet]) -> None:
    document = parsed(scan(book), own_server(platform, "glmocr"))
    assert all(document.text.count(said(sheet)) == 1 for sheet in book)
    calls = platform.calls("/glmocr/parse")
    assert len(calls) == len(book) and not any("authorization" in map(str.lower, call.headers) for call in calls)
    found = [block.bbox for block in document.blocks if block.kind is BlockKind.PARAGRAPH and block.page == 1]
    truth = [each["box"] for each in book[0].elements if each["native_label"] == "text"]
    for box, expected in zip(found, truth, strict=True):
        assert box is not None and all(abs(a - b) <= 1 / 500 for a, b in zip(box, expected, strict=True))


@pytest.mark.parametrize("ways", [("image",), ("image", "half")], ids=["by halves", "by nothing"])
def test_an_empty_reply_of_the_server_for_a_page_with_ink_is_not_believed(
    ways: Any, platform: StandIn, book: list[printing.Sheet]
) -> None:
    platform.spoil(book[1].number, "empty", ways=ways)
    document = parsed(scan(book[:3]), own_server(platform, "glmocr"))
    assert (said(book[1]) in document.text) == (len(ways) == 1)
    assert said(book[0]) in document.text and said(book[2]) in document.text


REGIONS = [
    ("title", "Ferry report"),
    ("text", "The ferry carried 412,000 passengers in 2024, six percent more than the year before. " * 4),
    ("table", [["Route", "Passengers"], ["North pier", "251,000"], ["Lighthouse", "161,000"]]),
    ("text", "The second ferry sails at noon. " * 6),
]


@pytest.mark.parametrize(("api", "path"), [("openai", "/v1"), ("ollama", "")])
def test_a_model_server_reads_the_regions_that_are_found_here(api: str, path: str, platform: StandIn) -> None:
    sheet = printing.sheet(REGIONS)
    document = parsed(blob(printing.scan([sheet], dpi=200)), own_server(platform, api, path))
    assert "412,000 passengers" in document.text and "The second ferry sails at noon." in document.text
    (table,) = (block for block in document.blocks if block.kind is BlockKind.TABLE)
    assert [[cell.text for cell in row] for row in read(table.span.of(document.text)).rows][2] == [
        "Lighthouse",
        "161,000",
    ]
    assert document.text.index("412,000") < table.span.start < document.text.index("second ferry")
    truth = next(each["box"] for each in sheet.elements if each["label"] == "table")
    assert table.bbox is not None and all(abs(a - b) < 0.02 for a, b in zip(table.bbox, truth, strict=True))
    assert not document.pages[0].needs_ocr


@pytest.mark.parametrize("dpi", [30, 72, 600], ids=lambda dpi: f"{dpi} per inch")
def test_regions_do_not_depend_on_the_resolution_that_a_photograph_claims(dpi: int) -> None:
    from io import BytesIO

    from PIL import Image

    photograph = Image.open(BytesIO(printing.image(printing.sheet(REGIONS), dpi=200)))

    def kinds(claimed: int) -> list[str]:
        held = BytesIO()
        photograph.save(held, "png", dpi=(claimed, claimed))
        source = picture(held.getvalue())
        return [crop.kind for crop in GlmOcrParser(mode="selfhosted").payload(source, (1,), "whole").regions]

    assert kinds(dpi) == kinds(200) and "table" in kinds(200)


def test_pictures_of_regions_suit_the_model_server() -> None:
    import pymupdf

    parser = GlmOcrParser(mode="selfhosted")
    payload = parser.payload(blob(printing.scan([printing.sheet(REGIONS)])), (1,), "whole")
    assert payload.data == b"" and len(payload.regions) >= 3
    for crop in payload.regions:
        pixels = pymupdf.Pixmap(crop.jpeg)
        assert pixels.width % 28 == 0 and pixels.height % 28 == 0 and pixels.n == 3
        assert 12_544 <= pixels.width * pixels.height <= 71_372_800


def divided(parser: AssistedParser, source: Blob, cuts: Sequence[int]) -> tuple[list[OcrPart], list[str]]:
    edges = [0, *cuts, parser.page_count(source)]
    parts = [pickle.loads(pickle.dumps(parser.parse_pages(source, a, b))) for a, b in pairwise(edges)]
    return parts, [wanted.key for part in parts for wanted in parser.wanted(part)]


def test_the_document_does_not_depend_on_how_its_pages_were_divided(
    platform: StandIn, book: list[printing.Sheet]
) -> None:
    parser, source = GlmOcrParser(), blob(mixed(book))
    whole = parsed(source)
    replies = kept(parser, source)
    for cuts in ([], [1], [2, 3], [1, 2, 3, 4, 5]):
        parts, keys = divided(parser, source, cuts)
        assert set(keys) == set(replies)
        assert parser.merge_read(source.source, parts, replies) == whole


def kept(parser: GlmOcrParser, source: Blob) -> Mapping[str, bytes]:
    from docpipe.parse.scan.alone import recognised

    part = parser.parse_pages(source, 0, parser.page_count(source))
    return recognised(parser, source, part.wanted)


def test_keys_follow_the_page_and_the_options_that_change_its_reading(book: list[printing.Sheet]) -> None:
    def keys(parser: GlmOcrParser, sheets: Sequence[printing.Sheet]) -> list[str]:
        return divided(parser, scan(sheets), [])[1]

    plain = keys(GlmOcrParser(), book[:3])
    assert keys(GlmOcrParser(), [book[5], *book[:3]])[1:] == plain
    assert keys(GlmOcrParser(piece_pages=2, piece_mb=1, dpi=150), book[:3]) == plain
    assert not set(keys(GlmOcrParser(model="glm-ocr-2"), book[:3])) & set(plain)
    assert not set(keys(GlmOcrParser(mode="selfhosted"), book[:3])) & set(plain)


def test_pieces_stay_below_the_size_that_was_asked_for(book: list[printing.Sheet]) -> None:
    parser, source = GlmOcrParser(piece_mb=0.2), scan(book)
    payload = parser.payload(source, (1, 2, 3, 4, 5, 6), "whole")
    assert len(payload.data) <= 200_000 and 1 <= len(payload.pages) < 6 and payload.media_type == "application/pdf"
    single = GlmOcrParser(piece_mb=0.001).payload(source, (4, 5), "whole")
    assert single.media_type == "image/jpeg" and single.pages == (4,)


def test_options_have_no_part_in_identity_where_they_change_no_text() -> None:
    plain = _ids.fingerprint(GlmOcrParser())
    assert _ids.fingerprint(GlmOcrParser(piece_pages=3, service=Endpoint(concurrency=9), password="x")) == plain
    assert _ids.fingerprint(GlmOcrParser(ocr="always")) != plain
    assert "secret" not in repr(GlmOcrParser(password="secret"))


@pytest.mark.parametrize(
    "options",
    [
        {"piece_pages": 0},
        {"piece_pages": 101},
        {"piece_mb": 0.0},
        {"dpi": 10},
        {"model": ""},
        {"crops": True, "mode": "selfhosted"},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|platform only"):
        GlmOcrParser(**options)  # type: ignore[arg-type]


def test_auto_hands_pdfs_and_pictures_to_the_parser_that_reads_scans(
    platform: StandIn, book: list[printing.Sheet]
) -> None:
    auto = AutoParser(pdf=GlmOcrParser())  # type: ignore[arg-type]
    assert auto.assists and isinstance(auto, AssistedParser) and not AutoParser().assists
    sources: list[tuple[Blob, Callable[[], str]]] = [
        (scan(book[:1]), lambda: said(book[0])),
        (picture(printing.image(book[1])), lambda: said(book[1])),
    ]
    for source, words in sources:
        (document,) = auto(source)
        assert words() in document.text
        assert auto.page_count(source) == 1 and len(auto.wanted(auto.parse_pages(source, 0, 1))) == 1
    plain = blob(printing.text_pdf(book[:1]))
    assert AutoParser().wanted(AutoParser().parse_pages(plain, 0, 1)) == ()


def test_crops_of_figures_are_told_where_they_are_asked_for(platform: StandIn) -> None:
    source = blob(printing.scan([printing.sheet([("text", "Passengers by month:"), ("figure", 120)])]))
    document = parsed(source, GlmOcrParser(crops=True))
    (figure,) = json.loads(document.metadata["figures"])
    place = next(block for block in document.blocks if block.kind is BlockKind.FIGURE)
    assert figure["page"] == 1 and figure["url"].startswith("https://") and place.bbox is not None
    assert figure["box"] == pytest.approx(list(place.bbox), abs=0.002) and "https" not in document.text
    assert "figures" not in parsed(source).metadata


def test_an_interrupt_ends_the_calls_at_once(platform: StandIn, book: list[printing.Sheet]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    platform.latency(PATH, 60.0)
    before = signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            parsed(scan(book))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 5
