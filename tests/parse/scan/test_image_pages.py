"""Image files are pages: sent as they are where the service takes them, converted where not, bounded in any case."""

import base64
import importlib.util
import random
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from docpipe import _ids
from docpipe.errors import CorruptSource, MissingExtra, SourceTooLarge
from docpipe.parse.glm_ocr import GlmOcrParser
from docpipe.parse.ocr import OcrParser, _drawn
from docpipe.parse.scan import image_pages
from docpipe.types import Blob, Source

PARSER = GlmOcrParser()


def blob(data: bytes, kind: str) -> Blob:
    source = Source(uri=f"a.{kind}", media_type=f"image/{kind}", digest=_ids.digest(data), size=len(data), modified=0)
    return Blob(source=source, data=data)


def drawn(width: int = 400, height: int = 300, text: str = "HARBOUR") -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).text((40, 40), text, fill="black", font_size=40)
    return image


def saved(image: Image.Image, kind: str, **options: object) -> Blob:
    held = BytesIO()
    image.save(held, kind, **options)  # type: ignore[arg-type]
    return blob(held.getvalue(), kind)


def shape(data: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(BytesIO(data)) as image:
        return image.format, image.size


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_png_and_jpeg_are_sent_as_they_are(kind: str) -> None:
    source = saved(drawn(), kind)
    assert PARSER.page_count(source) == 1
    payload = PARSER.payload(source, (1,), "whole")
    assert payload.data == source.data and payload.media_type == f"image/{kind}" and payload.ink == (True,)


@pytest.mark.parametrize("kind", ["webp", "tiff", "gif", "bmp"])
def test_other_kinds_are_converted_at_their_own_resolution(kind: str) -> None:
    payload = PARSER.payload(saved(drawn(), kind), (1,), "whole")
    assert shape(payload.data) == ("JPEG", (400, 300)) and payload.media_type == "image/jpeg" and payload.ink == (True,)


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_picture_that_lies_on_its_side_is_turned(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = saved(drawn(), kind, exif=exif)
    assert shape(PARSER.payload(source, (1,), "whole").data) == ("JPEG", (300, 400))
    (page,) = PARSER.parse_pages(source, 0, 1).local.pages
    assert page.width / page.height == pytest.approx(3 / 4, rel=0.01)


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_what_is_transparent_is_white(kind: str) -> None:
    image = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((40, 40), "HARBOUR", fill=(0, 0, 0, 255), font_size=40)
    payload = PARSER.payload(saved(image, kind, **({"lossless": True} if kind == "webp" else {})), (1,), "whole")
    with Image.open(BytesIO(payload.data)) as sent:
        assert sent.format == "JPEG" and sent.convert("L").getpixel((5, 5)) > 250  # type: ignore[operator]
    assert payload.ink == (True,)


def test_each_image_of_a_tiff_is_a_page_with_a_key_of_its_own() -> None:
    source = saved(drawn(), "tiff", save_all=True, append_images=[drawn(200, 100, ""), drawn(text="PILOT")])
    assert PARSER.page_count(source) == 3
    part = PARSER.parse_pages(source, 0, 3)
    assert [wanted.page for wanted in part.wanted] == [1, 2, 3] and len({wanted.key for wanted in part.wanted}) == 3
    assert [PARSER.payload(source, (n,), "whole").ink for n in (1, 2, 3)] == [(True,), (False,), (True,)]
    assert PARSER.payload(source, (2, 3), "whole").pages == (2,)
    assert [shape(PARSER.payload(source, (n,), "whole").data)[1] for n in (1, 2)] == [(400, 300), (200, 100)]


def test_a_later_image_of_a_tiff_may_not_claim_too_much() -> None:
    source = saved(
        drawn(), "tiff", save_all=True, append_images=[Image.new("RGB", (12_000, 9_000))], compression="tiff_lzw"
    )
    with pytest.raises(SourceTooLarge, match="12000 x 9000"):
        PARSER.page_count(source)


def test_large_pictures_are_made_smaller() -> None:
    dice = random.Random(1)
    noise = Image.frombytes("RGB", (3600, 950), dice.randbytes(3600 * 950 * 3))
    source = saved(noise, "png")
    assert len(source.data) > 10_000_000
    payload = PARSER.payload(source, (1,), "whole")
    assert len(payload.data) <= 10_000_000 and max(shape(payload.data)[1]) <= 3500


def test_halves_are_parts_of_the_page_that_meet() -> None:
    source = saved(drawn(600, 800), "png")
    upper, lower = (PARSER.payload(source, (1,), way) for way in ("upper", "lower"))
    assert upper.regions[0].bottom == lower.regions[0].top and 0.4 <= upper.regions[0].bottom <= 0.6
    assert upper.ink == (True,) and lower.ink == (False,)
    assert shape(upper.data)[1][1] + shape(lower.data)[1][1] == pytest.approx(800, abs=2)


def test_a_picture_is_sent_again_at_another_resolution() -> None:
    source = saved(drawn(1000, 800), "png")
    assert shape(PARSER.payload(source, (1,), "image").data) == ("JPEG", (700, 560))


def test_no_page_is_wanted_where_nothing_shall_be_read() -> None:
    part = GlmOcrParser(ocr="never").parse_pages(saved(drawn(), "png"), 0, 1)
    document = PARSER.merge(saved(drawn(), "png").source, [part])
    assert part.wanted == () and document.text == "" and document.pages[0].needs_ocr


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff", "gif", "bmp"])
@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 40, b"\x89PNG\r\n\x1a\n" + b"\x00" * 20], ids=["empty", "zeros", "head"]
)
def test_what_is_no_image_is_told(kind: str, data: bytes) -> None:
    with pytest.raises(CorruptSource, match=r"cannot be read as an image|is empty"):
        PARSER.page_count(blob(data, kind))


def test_a_small_file_that_claims_a_huge_image_is_refused() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\x00" * 750_000)) + chunk(b"IEND", b"")
    with pytest.raises(SourceTooLarge, match="pixels"):
        PARSER.page_count(blob(bomb, "png"))
    wide = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 15_000, 11_000, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )
    with pytest.raises(SourceTooLarge, match="15000 x 11000"):
        PARSER.page_count(blob(wide, "png"))


TINY_HEIC = (
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAXVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABmQABAAAAAAAAADwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA9WlwcnAAAADV"
    "aXBjbwAAAHBodmNDAQQIAAAAn/gAAAAAHvAA/Pz4+AAADwNgAAEAF0ABDAH//wQIAAADAJ/4AAADAAAeugJAYQABACVCAQEECAAAAwCf+AAAAwAA"
    "HsDCBBZbq5Ka5sCAAAAMgAAAAwCEYgABAAZEAcFzwYkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAYAAAAEAAAAAoY2xhcAAAAGAA"
    "AAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAADnBpeGkAAAAAAQgAAAAYaXBtYQAAAAAAAAABAAEFgQIDBYQAAABEbWRhdAAAADgoAa4yjWzl"
    "Sl0aDzf+U3kIeYJVm/GuQY8tA8mioj2/d6hBGcE2QcuoNUf944eAr9bLGsMQ95uFfg=="
)
"""White, 96 by 48, with a black box from (8, 8) to (40, 24)."""


def greys(source: Blob, number: int = 0) -> Image.Image:
    """A page of an image file, as OCR sees it."""
    with image_pages.opened(source) as pages:
        return Image.fromarray(_drawn(pages.page(number), pages.dpi(number))).convert("L")


def unlike(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of one size, of 255."""
    difference = ImageChops.difference(one, other.convert("L"))
    return float(np.asarray(difference).mean()) if one.size == other.size else 255.0


def _deep(kind: type, factor: float) -> Image.Image:
    return Image.fromarray((np.asarray(drawn().convert("L"), np.float64) * factor).astype(kind))


def _on_nothing() -> Image.Image:
    image = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((40, 40), "HARBOUR", fill=(0, 0, 0, 255), font_size=40)
    return image


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        pytest.param(_deep(np.uint16, 257), "png", {}, id="16 bits"),
        pytest.param(_deep(np.uint16, 257), "tiff", {}, id="16 bits in a TIFF"),
        pytest.param(_deep(np.int32, 65537), "tiff", {}, id="32 bits"),
        pytest.param(_deep(np.float32, 1 / 255), "tiff", {}, id="floating"),
        pytest.param(drawn().convert("1"), "png", {}, id="1 bit"),
        pytest.param(drawn().convert("1"), "tiff", {"compression": "group4"}, id="fax"),
        pytest.param(drawn().quantize(8), "png", {}, id="palette"),
        pytest.param(_on_nothing().quantize(8), "png", {}, id="transparent palette"),
        pytest.param(_on_nothing().convert("LA"), "png", {}, id="transparent greys"),
        pytest.param(drawn().convert("CMYK"), "jpeg", {}, id="CMYK"),
        pytest.param(drawn().convert("CMYK"), "tiff", {}, id="CMYK in a TIFF"),
        pytest.param(drawn(), "tiff", {"compression": "jpeg"}, id="JPEG in a TIFF"),
        pytest.param(drawn(), "tiff", {"compression": "zstd"}, id="zstd in a TIFF"),
        pytest.param(_on_nothing(), "webp", {"lossless": True}, id="transparent WEBP"),
    ],
)
def test_all_depths_and_colours_show_the_same(image: Image.Image, kind: str, options: dict[str, object]) -> None:
    assert unlike(greys(saved(image, kind, **options)), drawn()) < 3


@pytest.mark.parametrize("kind", ["jpeg", "webp", "tiff"])
def test_a_picture_that_lies_on_its_side_is_shown_upright(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = drawn().rotate(90, expand=True)
    assert unlike(greys(saved(lying, kind, exif=exif)), drawn()) < 3


def test_pages_of_a_tiff_that_has_to_be_converted_stay_pages() -> None:
    source = saved(drawn(), "tiff", save_all=True, compression="zstd", append_images=[_on_nothing(), drawn(200, 100)])
    with image_pages.opened(source) as pages:
        assert len(pages) == 3 and pages.sides == (400, 400, 200)
    assert unlike(greys(source, 1), drawn()) < 3


def test_a_tiff_that_would_have_to_be_converted_beyond_all_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_pages, "_MOST_PIXELS", 200_000)
    source = saved(drawn(), "tiff", save_all=True, compression="zstd", append_images=[drawn()])
    with pytest.raises(SourceTooLarge, match="pixels"), image_pages.opened(source):
        pass


def test_an_image_of_a_telephone_is_read_or_it_is_said_what_to_install() -> None:
    source = blob(base64.b64decode(TINY_HEIC), "heic")
    if importlib.util.find_spec("pi_heif") is None:
        with pytest.raises(MissingExtra, match="HEIC") as caught, image_pages.opened(source):
            pass
        assert "docpipe[heic]" in caught.value.remedy
    else:
        shown = greys(source)
        assert shown.size == (96, 48) and shown.getpixel((20, 16)) < 60 and shown.getpixel((70, 30)) > 200


@pytest.mark.parametrize("size", [(1, 1), (5, 19), (19, 2)])
def test_images_of_a_few_pixels_are_empty_pages(size: tuple[int, int]) -> None:
    (document,) = OcrParser()(saved(Image.new("RGB", size, "white"), "png"))
    assert document.text == "" and len(document.pages) == 1
