"""An image file -> its pages: pictures that can be sent, or be drawn anew."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from docpipe.errors import CorruptSource, MissingExtra, SourceTooLarge
from docpipe.parse.page.reader import shown_size
from docpipe.parse.pdf import engine, failures
from docpipe.parse.scan.pictures import LARGEST
from docpipe.types import Blob

if TYPE_CHECKING:
    import pymupdf
    from PIL import Image

MEDIA_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "png",
    "image/tiff": "tiff",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/heic": "png",
}
"""What is read, and as what PyMuPDF opens it (it knows no WEBP and no HEIC: Pillow makes a PNG of them first)."""
_AS_THEY_ARE = ("image/png", "image/jpeg")
_MOST_IMAGES = 5_000
_MOST_PIXELS = 100_000_000
"""A sheet of A1 at 300 per inch; a small file may claim far more than fits into memory."""
_ORIENTATION = 0x0112
_UPRIGHT = (0, 1)
_PLAIN = ("1", "L", "P", "RGB")
_DEEP = ("I", "F")
"""Pillow's names for greys of any range; they are shown from the darkest to the lightest that occurs."""
_KNOWN_TIFF = (
    "raw",
    "packbits",
    "tiff_ccitt",
    "group3",
    "group4",
    "tiff_lzw",
    "tiff_adobe_deflate",
    "tiff_deflate",
    "jpeg",
    "tiff_jpeg",
)
"""What PyMuPDF unpacks of the ways to pack a TIFF, as Pillow calls them."""


@dataclass(frozen=True, slots=True)
class ImagePages:
    """An open image file. A TIFF has as many pages as it holds images; of moving images the first is read."""

    document: "pymupdf.Document"
    blob: Blob
    sides: tuple[int, ...]
    """Pixels of the longest side of each image."""
    plain: bool
    """Stored upright, in greys or colours without transparency: it looks the same to whoever opens it."""

    def __len__(self) -> int:
        return int(self.document.page_count)

    def page(self, index: int) -> "pymupdf.Page":
        """A page, upright, to be drawn."""
        return self.document.load_page(index)

    def size(self, index: int) -> tuple[float, float]:
        """Width and height as shown, in points; at least 1."""
        return shown_size(self.page(index))

    def dpi(self, index: int) -> float:
        """The resolution at which drawing loses nothing."""
        rect = self.page(index).rect
        return float(72 * self.sides[min(index, len(self.sides) - 1)] / max(1.0, rect.width, rect.height))

    def as_it_is(self) -> bool:
        """Whether the service takes the file itself."""
        small = len(self.blob.data) <= LARGEST
        return small and self.plain and len(self) == 1 and self.blob.source.media_type in _AS_THEY_ARE


@contextmanager
def opened(blob: Blob) -> Iterator[ImagePages]:
    """The pages of an image file.

    Raises:
        CorruptSource: it cannot be read.
        SourceTooLarge: it claims to have more pixels than any scanned sheet.
        MissingExtra: a HEIC image, and the extra `heic` is not installed.
    """
    sides, plain, data, kind = _looked_at(blob)
    try:
        document = engine().open(stream=data, filetype=kind)
    except failures() as error:
        raise _corrupt(blob, error) from error
    with document:
        if not document.page_count:
            raise _corrupt(blob, ValueError("it holds no image"))
        yield ImagePages(document, blob, sides, plain)


def _looked_at(blob: Blob) -> tuple[tuple[int, ...], bool, bytes, str]:
    """The longest side of each image in pixels, whether it is plain, bytes that PyMuPDF reads, and as what."""
    from PIL import Image, UnidentifiedImageError

    media = blob.source.media_type
    if not blob.data:
        raise _corrupt(blob, ValueError("the file is empty (0 bytes)"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _image(blob) as image:
                sizes = list(_sizes(image, media))
                _check(blob, sizes)
                upright = image.getexif().get(_ORIENTATION, 1) in _UPRIGHT
                plain = upright and image.mode in _PLAIN and "transparency" not in image.info
                sides = tuple(map(max, sizes))
                if _is_drawn_well(image, media, upright=upright):
                    return sides, plain, blob.data, MEDIA_TYPES[media]
                if len(sizes) == 1:
                    return sides, plain, _as_png(image), "png"
                _check(blob, [(sum(width * height for width, height in sizes), 1)])
                return sides, plain, _as_tiff(image), "tiff"
    except Image.DecompressionBombError as error:
        raise _too_large(blob, 0, 0) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, KeyError, EOFError) as error:
        raise _corrupt(blob, error) from error


def _image(blob: Blob) -> "Image.Image":
    """The file as Pillow opens it: nothing is decoded yet."""
    from PIL import Image, UnidentifiedImageError

    if blob.source.media_type != "image/heic":
        return Image.open(BytesIO(blob.data))
    try:
        import pi_heif
    except ImportError as error:
        try:
            return Image.open(BytesIO(blob.data))  # an AVIF is read without it
        except UnidentifiedImageError:
            raise MissingExtra("reading HEIC images (pi-heif)", extra="heic") from error
    pi_heif.register_heif_opener()
    return Image.open(BytesIO(blob.data))


def _sizes(image: "Image.Image", media_type: str) -> Iterator[tuple[int, int]]:
    """Width and height of each image of a file, as the file claims."""
    yield image.size
    for index in range(1, min(getattr(image, "n_frames", 1), _MOST_IMAGES) if media_type == "image/tiff" else 0):
        image.seek(index)
        yield image.size
    image.seek(0)


def _check(blob: Blob, sizes: Sequence[tuple[int, int]]) -> None:
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    if width * height > _MOST_PIXELS:
        raise _too_large(blob, width, height)


def _is_drawn_well(image: "Image.Image", media_type: str, *, upright: bool) -> bool:
    """Whether PyMuPDF shows it as it is: not all depths, ways of packing, and turned images of a TIFF."""
    if media_type in ("image/webp", "image/heic") or image.mode in _DEEP:
        return False
    return media_type != "image/tiff" or (upright and image.info.get("compression", "raw") in _KNOWN_TIFF)


def as_png(data: bytes) -> bytes:
    """A picture that Pillow reads, upright and on white, as a PNG. Raises what Pillow raises."""
    from PIL import Image

    with Image.open(BytesIO(data)) as image:
        return _as_png(image)


def _as_png(image: "Image.Image") -> bytes:
    held = BytesIO()
    _shown(image).save(held, "PNG", compress_level=1)
    return held.getvalue()


def _as_tiff(image: "Image.Image") -> bytes:
    from PIL import ImageSequence

    first, *others = (_shown(frame) for frame in ImageSequence.Iterator(image))
    held = BytesIO()
    first.save(held, "TIFF", save_all=True, append_images=others)
    return held.getvalue()


def _shown(image: "Image.Image") -> "Image.Image":
    """An image as it is seen: upright, on white, with 8 bits to a colour."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        extremes: Any = upright.convert("F").getextrema()
        low, high = map(float, extremes)
        scale = 255 / ((high - low) or 1.0)
        upright = upright.convert("F").point(lambda value: value * scale - low * scale).convert("L")
    shown = upright.convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    return Image.alpha_composite(white, shown).convert("RGB")


def _too_large(blob: Blob, width: int, height: int) -> SourceTooLarge:
    claim = f"{width} x {height} pixels" if width else "far too many pixels"
    return SourceTooLarge(
        f"the image has {claim}, more than {_MOST_PIXELS // 1_000_000} million in all",
        source=blob.source.uri,
        remedy="scale it down, or cut it into pages",
    )


def _corrupt(blob: Blob, error: Exception) -> CorruptSource:
    return CorruptSource(
        f"it cannot be read as an image ({blob.source.media_type}): {error or type(error).__name__}",
        source=blob.source.uri,
        remedy="open it in a viewer and save it again as PNG or PDF",
    )
