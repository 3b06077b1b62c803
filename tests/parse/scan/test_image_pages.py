"""Image files are pages: sent as they are where the service takes them, converted where not, bounded in any case."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from docpipe import _ids
from docpipe.errors import CorruptSource, SourceTooLarge
from docpipe.parse.glm_ocr import GlmOcrParser
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
