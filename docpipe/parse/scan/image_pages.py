"""An image file -> its pages: pictures that can be sent, or be drawn anew."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from docpipe.errors import CorruptSource, SourceTooLarge
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
}
"""What is read, and as what PyMuPDF opens it (it knows no WEBP: Pillow makes a PNG of it first)."""
_AS_THEY_ARE = ("image/png", "image/jpeg")
_MOST_IMAGES = 5_000
_MOST_PIXELS = 100_000_000
"""A sheet of A1 at 300 per inch; a small file may claim far more than fits into memory."""
_ORIENTATION = 0x0112
_UPRIGHT = (0, 1)
_PLAIN = ("1", "L", "P", "RGB")


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
    """
    sides, plain, data = _looked_at(blob)
    try:
        document = engine().open(stream=data, filetype=MEDIA_TYPES[blob.source.media_type])
    except failures() as error:
        raise _corrupt(blob, error) from error
    with document:
        if not document.page_count:
            raise _corrupt(blob, ValueError("it holds no image"))
        yield ImagePages(document, blob, sides, plain)


def _looked_at(blob: Blob) -> tuple[tuple[int, ...], bool, bytes]:
    """The longest side of each image in pixels, whether it is plain, and bytes that PyMuPDF reads."""
    from PIL import Image, UnidentifiedImageError

    if not blob.data:
        raise _corrupt(blob, ValueError("the file is empty (0 bytes)"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(blob.data)) as image:
                sizes = list(_sizes(image, blob.source.media_type))
                width, height = max(sizes, key=lambda size: size[0] * size[1])
                if width * height > _MOST_PIXELS:
                    raise _too_large(blob, width, height)
                upright = image.getexif().get(_ORIENTATION, 1) in _UPRIGHT
                plain = upright and image.mode in _PLAIN and "transparency" not in image.info
                data = as_png(blob.data) if blob.source.media_type == "image/webp" else blob.data
                return tuple(map(max, sizes)), plain, data
    except Image.DecompressionBombError as error:
        raise _too_large(blob, 0, 0) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, KeyError, EOFError) as error:
        raise _corrupt(blob, error) from error


def _sizes(image: "Image.Image", media_type: str) -> Iterator[tuple[int, int]]:
    """Width and height of each image of a file, as the file claims."""
    yield image.size
    for index in range(1, min(getattr(image, "n_frames", 1), _MOST_IMAGES) if media_type == "image/tiff" else 0):
        image.seek(index)
        yield image.size
    image.seek(0)


def as_png(data: bytes) -> bytes:
    """A picture that Pillow reads, upright and on white, as a PNG. Raises what Pillow raises."""
    from PIL import Image, ImageOps

    held = BytesIO()
    with Image.open(BytesIO(data)) as image:
        shown = ImageOps.exif_transpose(image).convert("RGBA")
        white = Image.new("RGBA", shown.size, "white")
        Image.alpha_composite(white, shown).convert("RGB").save(held, "PNG", compress_level=1)
    return held.getvalue()


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
